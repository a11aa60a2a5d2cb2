import type { ClientBase } from 'pg';
import { rankScores, type RankedScore } from '#scoring/ranking';
import { ERA5_LEAD_HOURS } from '#semconv';
import type { CellType } from '#postgres/sql/binary/cells';
import { column, insertRows, replaceOnConflict } from '#postgres/sql/columns';
import { foldRows, type FoldedTable } from '../upsert-projection.ts';
import { emptyForecastFold, foldForecast, type ForecastFold } from '../forecast-fold.ts';
import { toForecastRow, type ForecastRow } from '../forecast-row.ts';
import { foldText } from '../lww-register.ts';
import { MINER_RUN_KEY, runsOf, type MinerFact, type RunOf } from '#postgres/log/recorded-fact';
import { responseId } from '#postgres/log/response-id';
import { json } from '#postgres/sql/sql-values';

/** A forecast whose row changed. */
export interface ForecastChange {
  readonly item: MinerFact;
  readonly before: ForecastRow | null;
  readonly after: ForecastRow;
}

interface Row {
  readonly item: MinerFact;
  readonly text: string;
  readonly row: ForecastRow;
}

const of = (name: string, type: CellType, value: (row: ForecastRow) => unknown) =>
  column<Row>(name, type, ({ row }) => value(row));

const COLUMNS = [
  ...MINER_RUN_KEY.map(({ name, type, value }) => column<Row>(name, type, ({ item }) => value(item))),
  column<Row>('id', 'bigint', ({ item }) => responseId(item.fact.runId, item.minerHotkey)),
  of('miner_uid', 'int', (row) => row.minerUid),
  of('forecast_run_id', 'text', (row) => row.forecastRunId),
  of('forecast_init_time', 'timestamptz', (row) => row.initTime),
  of('forecast_status', 'text', (row) => row.forecastStatus),
  of('current_forecast_stage', 'text', (row) => row.stage),
  of('current_forecast_status', 'text', (row) => row.stageStatus),
  of('stage_since', 'timestamptz', (row) => row.stageSince),
  of('last_error_message', 'text', (row) => row.error?.message ?? null),
  of('retries_remaining', 'int', (row) => row.retriesRemaining),
  of('next_scheduled_retry', 'timestamptz', (row) => row.nextScheduledRetry),
  of('forecast_error_msg', 'jsonb', (row) => json(row.error)),
  of('forecast_score_initial', 'float8', (row) => row.scoreInitial),
  ...ERA5_LEAD_HOURS.map((lead, index) =>
    of(`era5_score_${lead}h`, 'float8', (row) => row.era5Scores[index] ?? null),
  ),
  of('era5_combined_score', 'float8', (row) => row.combinedScore),
  of('era5_completeness', 'float8', (row) => row.completeness),
  of('era5_scored_leads', 'int', (row) => row.scoredLeads),
  of('era5_expected_leads', 'int', (row) => row.expectedLeads),
  of('overall_forecast_score', 'float8', (row) => row.overallScore),
  of('avg_rmse', 'float8', (row) => row.avgRmse),
  of('avg_acc', 'float8', (row) => row.avgAcc),
  of('avg_skill_score', 'float8', (row) => row.avgSkillScore),
  of('forecast_type', 'text', (row) => row.forecastType),
  of('forecast_inference_duration_seconds', 'float8', (row) => row.inferenceDurationSeconds),
  of('forecast_input_sources', 'jsonb', (row) => json(row.inputSources)),
  of('hosting_status', 'text', (row) => row.hostingStatus),
  of('hosting_latency_ms', 'float8', (row) => row.hostingLatencyMs),
  column<Row>('validator_hotkey', 'text', ({ item }) => item.fact.validatorHotkey),
  of('completed_at', 'timestamptz', (row) => row.completedAt),
  of('trace_id', 'text', (row) => row.traceId),
  of('created_at', 'timestamptz', (row) => row.createdAt),
  of('updated_at', 'timestamptz', (row) => row.updatedAt),
  column<Row>('fold', 'json', ({ text }) => text),
];

const TABLE: FoldedTable<MinerFact, ForecastFold> = {
  table: 'weather_forecast_stats',
  key: MINER_RUN_KEY,
  empty: emptyForecastFold,
  add: (fold, items) =>
    foldForecast(
      fold,
      items.map(({ fact }) => fact),
    ),
  toText: foldText,
};

/** Folds facts into `weather_forecast_stats` and returns the forecasts that changed. */
export async function writeForecasts(
  client: ClientBase,
  facts: readonly MinerFact[],
): Promise<readonly ForecastChange[]> {
  const changed = await foldRows(client, TABLE, facts);
  if (changed.length === 0) return [];
  const rows = changed.map((change) => ({ ...change, row: toForecastRow(change.after) }));
  const key = MINER_RUN_KEY.map(({ name }) => name);
  const insert = await insertRows(TABLE.table, COLUMNS, rows, replaceOnConflict(COLUMNS, key));
  await client.query(insert.text, insert.values);
  return rows.map(({ item, before, row }) => ({
    item,
    before: before === null ? null : toForecastRow(before),
    after: row,
  }));
}

/** Ranks the miners of each run in which a score changed. */
export async function rankForecasts(client: ClientBase, changes: readonly ForecastChange[]): Promise<void> {
  const rescored = changes.filter(
    ({ before, after }) => (before?.overallScore ?? null) !== after.overallScore,
  );
  await rankRuns(client, runsOf(rescored.map(({ item }) => item)));
}

/**
 * Competition ranking (1, 1, 3) of the miners of each run by `overall_forecast_score`, best first. A miner without a
 * score has no rank. One query per run: given many runs at once, the planner scans the forecasts of all runs.
 */
export async function rankRuns(client: ClientBase, runs: readonly RunOf[]): Promise<void> {
  for (const run of runs) {
    const moved = rankScores(await readScores(client, run));
    if (moved.length > 0) await writeRanks(client, run, moved);
  }
}

/** A miner of a run, with its score and rank. */
interface RankedMiner extends RankedScore {
  readonly minerHotkey: string;
}

async function readScores(
  client: ClientBase,
  { validatorId, runId }: RunOf,
): Promise<readonly RankedMiner[]> {
  const { rows } = await client.query<RankedMiner>(
    `select miner_hotkey as "minerHotkey", overall_forecast_score as score, miner_rank as rank
     from weather_forecast_stats where (validator_id, run_id) = ($1, $2)`,
    [validatorId, runId],
  );
  return rows;
}

async function writeRanks(
  client: ClientBase,
  { validatorId, runId }: RunOf,
  ranked: readonly RankedMiner[],
): Promise<void> {
  await client.query(
    `update weather_forecast_stats as forecast set miner_rank = ranked.miner_rank
     from unnest($3::text[], $4::int[]) as ranked (miner_hotkey, miner_rank)
     where (forecast.validator_id, forecast.run_id) = ($1, $2) and forecast.miner_hotkey = ranked.miner_hotkey`,
    [validatorId, runId, ranked.map(({ minerHotkey }) => minerHotkey), ranked.map(({ rank }) => rank)],
  );
}
