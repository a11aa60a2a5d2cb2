import type { ClientBase } from 'pg';
import type { MinerStats } from '#facts/miner-stats';
import type { CellType } from '#postgres/sql/binary/cells';
import { column, insertRows, replaceOnConflict } from '#postgres/sql/columns';
import { foldInto, groupByKey, readFolds, type FoldedTable } from '../upsert-projection.ts';
import { canonicalJson } from '../canonical-json.ts';
import { fromDraft, toDraft } from '../miner-draft.ts';
import { emptyMinerFold, type MinerFold } from '../miner-fold.ts';
import { averageForecastScore, toMinerStats } from '../miner-row.ts';
import { json } from '#postgres/sql/sql-values';
import type { MinerKey } from './miner-history.ts';
import type { ForecastChange } from './forecast-stats.ts';
import {
  applyChange,
  minersToUpdate,
  withHistories,
  type MinerForecast,
  type MinerChange,
  type MinerOwner,
} from '../miner-changes.ts';
import { updateHistories } from './update-histories.ts';

interface Row {
  readonly item: MinerOwner;
  readonly text: string;
  readonly stats: Omit<MinerStats, 'minerRank'>;
}

const KEY = [
  column<MinerOwner>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<MinerOwner>('miner_hotkey', 'text', ({ minerHotkey }) => minerHotkey),
];

const of = (name: string, type: CellType, value: (stats: Row['stats']) => unknown) =>
  column<Row>(name, type, ({ stats }) => value(stats));

const COLUMNS = [
  ...KEY.map(({ name, type, value }) => column<Row>(name, type, ({ item }) => value(item))),
  of('miner_uid', 'int', (stats) => stats.minerUid),
  of('is_selected', 'boolean', (stats) => stats.isSelected),
  of('avg_forecast_score', 'float8', (stats) => stats.avgForecastScore),
  of('successful_forecasts', 'bigint', (stats) => stats.successfulForecasts),
  of('failed_forecasts', 'bigint', (stats) => stats.failedForecasts),
  of('excused_forecasts', 'bigint', (stats) => stats.excusedForecasts),
  of('forecast_success_ratio', 'float8', (stats) => stats.forecastSuccessRatio),
  of('hosting_successes', 'bigint', (stats) => stats.hostingSuccesses),
  of('hosting_failures', 'bigint', (stats) => stats.hostingFailures),
  of('host_reliability_ratio', 'float8', (stats) => stats.hostReliabilityRatio),
  of('avg_hosting_latency_ms', 'float8', (stats) => stats.avgHostingLatencyMs),
  of('avg_day1_score', 'float8', (stats) => stats.avgDay1Score),
  of('avg_era5_score', 'float8', (stats) => stats.avgEra5Score),
  of('avg_era5_completeness', 'float8', (stats) => stats.avgEra5Completeness),
  of('best_forecast_score', 'float8', (stats) => stats.bestForecastScore),
  of('worst_forecast_score', 'float8', (stats) => stats.worstForecastScore),
  of('score_std_dev', 'float8', (stats) => stats.scoreStdDev),
  of('last_successful_forecast', 'timestamptz', (stats) => stats.lastSuccessfulForecast),
  of('last_failed_forecast', 'timestamptz', (stats) => stats.lastFailedForecast),
  of('consecutive_successes', 'bigint', (stats) => stats.consecutiveSuccesses),
  of('consecutive_failures', 'bigint', (stats) => stats.consecutiveFailures),
  of('total_inference_time', 'float8', (stats) => stats.totalInferenceTime),
  of('avg_inference_time', 'float8', (stats) => stats.avgInferenceTime),
  of('common_errors', 'jsonb', (stats) => json(stats.commonErrors)),
  of('error_rate_by_type', 'jsonb', (stats) => json(stats.errorRateByType)),
  of('first_seen', 'timestamptz', (stats) => stats.firstSeen),
  of('last_active', 'timestamptz', (stats) => stats.lastActive),
  of('validator_hotkey', 'text', (stats) => stats.validatorHotkey),
  of('updated_at', 'timestamptz', (stats) => stats.updatedAt),
  column<Row>('fold', 'json', ({ text }) => text),
];

const TABLE: FoldedTable<MinerChange, MinerFold> = {
  table: 'miner_stats',
  key: KEY,
  empty: emptyMinerFold,
  add: (fold, minerChanges) => fromDraft(minerChanges.reduce(applyChange, toDraft(fold))),
  toText: canonicalJson,
};

/** Folds changes into `miner_stats` and ranks; returns the number of rows written and the miners with a new rank. */
export async function writeMinerStats(
  client: ClientBase,
  minerChanges: readonly MinerChange[],
  changes: readonly ForecastChange[],
): Promise<{ readonly written: number; readonly reranked: readonly MinerKey[] }> {
  const { written, rescored } = await foldMiners(client, minerChanges, changes);
  const reranked = await rankMiners(client, [...new Set(rescored.map(({ validatorId }) => validatorId))]);
  return { written, reranked };
}

/** `writeMinerStats` without the ranks; returns the miners whose average score changed. */
export async function foldMiners(
  client: ClientBase,
  minerChanges: readonly MinerChange[],
  changes: readonly MinerForecast[],
): Promise<{ readonly written: number; readonly rescored: readonly MinerKey[] }> {
  const groups = groupByKey<MinerChange, MinerFold>(TABLE, [
    ...minerChanges,
    ...changes.map((change) => ({ ...change.item, kind: 'forecast' as const, change })),
  ]);
  const known = await readFolds(client, TABLE, groups);
  const moved = await updateHistories(client, known, minersToUpdate(groups));
  const changed = await foldInto(TABLE, known, withHistories(groups, moved));
  if (changed.length === 0) return { written: 0, rescored: [] };
  const rows = changed.map(({ item, after, text }) => {
    const { validatorId, minerHotkey } = item;
    const key = { validatorId, validatorHotkey: item.fact.validatorHotkey, minerHotkey };
    return { item, text, stats: toMinerStats(after, key) };
  });
  const key = KEY.map(({ name }) => name);
  const insert = await insertRows(TABLE.table, COLUMNS, rows, replaceOnConflict(COLUMNS, key));
  await client.query(insert.text, insert.values);
  const rescored = changed.filter(({ before, after }) => averageOf(before) !== averageOf(after));
  return { written: rows.length, rescored: rescored.map(({ item }) => item) };
}

const averageOf = (fold: MinerFold | null): number | null => averageForecastScore(fold ?? emptyMinerFold);

/**
 * Competition ranking of the miners of a validator by `avg_forecast_score`, best first; returns those with a new rank.
 */
export async function rankMiners(
  client: ClientBase,
  validatorIds: readonly number[],
): Promise<readonly MinerKey[]> {
  if (validatorIds.length === 0) return [];
  const { rows } = await client.query<MinerKey>(
    `update miner_stats as miner set miner_rank = ranked.miner_rank
     from (
       select validator_id, miner_hotkey, case when avg_forecast_score is not null then
         rank() over (partition by validator_id order by avg_forecast_score desc nulls last)
       end as miner_rank
       from miner_stats where validator_id = any ($1)
     ) as ranked
     where (miner.validator_id, miner.miner_hotkey) = (ranked.validator_id, ranked.miner_hotkey)
       and miner.miner_rank is distinct from ranked.miner_rank
     returning miner.validator_id as "validatorId", miner.miner_hotkey as "minerHotkey"`,
    [validatorIds],
  );
  return rows;
}
