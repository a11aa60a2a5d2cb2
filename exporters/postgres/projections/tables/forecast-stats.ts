import type { ClientBase } from 'pg';
import { rankScores, type RankedScore } from '#scoring/ranking';
import { ERA5_LEAD_HOURS } from '#semconv';
import type { CellType } from '#postgres/sql/binary/cells';
import { column, insertRows, replaceOnConflict } from '#postgres/sql/columns';
import { foldInto, groupByKey, readFolds, type FoldedTable } from '../upsert-projection.ts';
import { emptyForecastFold, foldForecast, type ForecastFold } from '../forecast-fold.ts';
import { toForecastRow, type ForecastRow } from '../forecast-row.ts';
import { countedEnd } from '../forecast-state.ts';
import { foldText } from '../lww-register.ts';
import {
  MINER_RUN_KEY,
  runsOf,
  type MinerFact,
  type MinerRun,
  type RunOf,
} from '#postgres/log/recorded-fact';
import { responseId } from '#postgres/log/response-id';
import { effectsOf, type RunChanges } from '../run-changes.ts';
import { IS_EXCUSED } from './miner-history.ts';
import { readRowsOfRuns, updateRowsOfRuns } from './rows-of-runs.ts';
import { json } from '#postgres/sql/sql-values';

/** A forecast whose row changed. */
export interface ForecastChange {
  readonly item: MinerRun;
  readonly before: ForecastRow | null;
  readonly after: ForecastRow;
}

/** A row of the table; `text` is its fold in stored form, null where that did not change. */
interface Row {
  readonly owner: MinerRun;
  readonly text: string | null;
  readonly row: ForecastRow;
}

const of = (name: string, type: CellType, value: (row: ForecastRow) => unknown) =>
  column<Row>(name, type, ({ row }) => value(row));

const NAMES_OF_RUN: ReadonlySet<string> = new Set([
  'forecast_status',
  'current_forecast_stage',
  'current_forecast_status',
  'stage_since',
  'last_error_message',
  'last_error_type',
  'last_error_fault',
  'retries_remaining',
  'next_scheduled_retry',
  'forecast_error_msg',
  'completed_at',
  'updated_at',
]);

const COLUMNS = [
  ...MINER_RUN_KEY.map(({ name, type, value }) => column<Row>(name, type, ({ owner }) => value(owner))),
  column<Row>('id', 'bigint', ({ owner }) => responseId(owner.fact.runId, owner.minerHotkey)),
  of('miner_uid', 'int', (row) => row.minerUid),
  of('forecast_run_id', 'text', (row) => row.forecastRunId),
  of('forecast_init_time', 'timestamptz', (row) => row.initTime),
  of('forecast_status', 'text', (row) => row.forecastStatus),
  of('current_forecast_stage', 'text', (row) => row.stage),
  of('current_forecast_status', 'text', (row) => row.stageStatus),
  of('stage_since', 'timestamptz', (row) => row.stageSince),
  of('last_error_message', 'text', (row) => row.error?.message ?? null),
  of('last_error_type', 'text', (row) => row.error?.type ?? null),
  of('last_error_fault', 'text', (row) => row.error?.fault ?? null),
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
  column<Row>('validator_hotkey', 'text', ({ owner }) => owner.fact.validatorHotkey),
  of('completed_at', 'timestamptz', (row) => row.completedAt),
  of('trace_id', 'text', (row) => row.traceId),
  of('created_at', 'timestamptz', (row) => row.createdAt),
  of('updated_at', 'timestamptz', (row) => row.updatedAt),
  column<Row>('fold', 'json', ({ text }) => text),
];

/** The columns that a run can change in forecasts without a fact of their own. */
const COLUMNS_OF_RUN = COLUMNS.filter(({ name }) => NAMES_OF_RUN.has(name));

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

/** The rows written, and the changes that may count for a miner or a rank. */
export interface WrittenForecasts {
  readonly written: number;
  readonly changes: readonly ForecastChange[];
}

/** Folds facts into `weather_forecast_stats`, and carries over what changed in the runs. */
export async function writeForecasts(
  client: ClientBase,
  facts: readonly MinerFact[],
  runs: RunChanges,
): Promise<WrittenForecasts> {
  const folded = await foldForecasts(client, facts, runs);
  const carried = await carryOver(client, folded, runs);
  // A retry of the run's seed moves every forecast and counts for none of them.
  const counted = carried.filter((change) => hasEnded(change.before) || hasEnded(change.after));
  return { written: folded.length + carried.length, changes: [...folded, ...counted] };
}

const hasEnded = (row: ForecastRow | null): boolean => row !== null && countedEnd(row) !== null;

async function foldForecasts(
  client: ClientBase,
  facts: readonly MinerFact[],
  runs: RunChanges,
): Promise<readonly ForecastChange[]> {
  const groups = groupByKey(TABLE, facts);
  const folded = await foldInto(TABLE, await readFolds(client, TABLE, groups), groups);
  if (folded.length === 0) return [];
  const changes = folded.map(({ item, before, after, text }) => {
    const effects = effectsOf(runs, item.validatorId, item.fact.runId);
    const previous = before === null ? null : toForecastRow(before, effects.before);
    return { item, text, before: previous, after: toForecastRow(after, effects.after) };
  });
  const rows = changes.map(({ item, text, after }) => ({ owner: item, text, row: after }));
  const key = MINER_RUN_KEY.map(({ name }) => name);
  const insert = await insertRows(TABLE.table, COLUMNS, rows, replaceOnConflict(COLUMNS, key));
  await client.query(insert.text, insert.values);
  return changes;
}

/**
 * Writes what a change of their run means for the forecasts whose folds the batch did not change: one read and one
 * update for all of them.
 */
async function carryOver(
  client: ClientBase,
  folded: readonly ForecastChange[],
  runs: RunChanges,
): Promise<readonly ForecastChange[]> {
  const rows = await readRowsOfRuns<ForecastFold>(client, TABLE.table, {
    runs,
    written: folded.map(({ item }) => item),
  });
  const changes = rows
    .map(({ owner, fold, run }) => ({
      item: owner,
      before: toForecastRow(fold, run.before),
      after: toForecastRow(fold, run.after),
    }))
    .filter(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after));
  const updated = changes.map(({ item, after }) => ({ owner: item, text: null, row: after }));
  await updateRowsOfRuns(client, { table: TABLE.table, columns: COLUMNS_OF_RUN }, updated);
  return changes;
}

/** Ranks the miners of each run in which a score changed, or whether it counts. */
export async function rankForecasts(client: ClientBase, changes: readonly ForecastChange[]): Promise<void> {
  const rescored = changes.filter(
    ({ before, after }) => (before === null ? null : rankedScore(before)) !== rankedScore(after),
  );
  await rankRuns(client, runsOf(rescored.map(({ item }) => item)));
}

const rankedScore = (row: ForecastRow): number | null =>
  countedEnd(row) === 'excused' ? null : row.overallScore;

/**
 * Competition ranking (1, 1, 3) of the miners of each run by `overall_forecast_score`, best first. A miner without a
 * score has no rank, nor has one whose forecast failed through no fault of its own. One query per run: given many runs at once, the planner scans the forecasts of all runs.
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
    `select miner_hotkey as "minerHotkey", miner_rank as rank,
       case when not (${IS_EXCUSED}) then overall_forecast_score end as score
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
