import type { ClientBase } from 'pg';
import type { ForecastHistory } from '../miner-history.ts';
import { epochMicros } from '#postgres/sql/sql-values';

/** Key of `miner_stats`. */
export interface MinerKey {
  readonly validatorId: number;
  readonly minerHotkey: string;
}

interface HistoryRow {
  readonly validator_id: number;
  readonly miner_hotkey: string;
  readonly best: number | null;
  readonly worst: number | null;
  readonly last_success: number | null;
  readonly last_failure: number | null;
  readonly last_status: string | null;
  readonly newest_run: number | null;
  readonly newest_init: number | null;
  readonly streak: string;
}

const OF_MINER = '(forecast.validator_id, forecast.miner_hotkey) = (miner.validator_id, miner.miner_hotkey)';
/**
 * Whether a forecast failed by the fault of upstream data or of the validator: it does not count for its miner. The same
 * as `countedEnd`; no fault is known of rows without an error.
 */
export const IS_EXCUSED = "forecast_status = 'failed' and coalesce(last_error_fault, 'miner') <> 'miner'";
/** With the predicate of two partial indexes first; the planner uses them only where a query has it word by word. */
const IS_COUNTED = `forecast_status in ('completed', 'failed') and not (${IS_EXCUSED})`;
const NEWEST_FIRST = 'forecast_init_time desc, run_id desc';

/**
 * Lateral joins of one index lookup each, so that the cost does not grow with the history; only the current streak is
 * counted row by row. A streak is the block of equal outcomes at the newest end of the forecasts that count, ordered by
 * T0. It begins after the newest forecast of the opposite outcome (`other`). `ended` first tests with one lookup
 * whether there is any, which avoids a scan past the whole history when there is none.
 */
const HISTORY = `
  select miner.validator_id, miner.miner_hotkey, best.best, worst.worst,
    ${epochMicros('success.at')} as last_success, ${epochMicros('failure.at')} as last_failure,
    newest.forecast_status as last_status, newest.run_id::float8 as newest_run,
    ${epochMicros('newest.forecast_init_time')} as newest_init, streak.length::text as streak
  from unnest($1::int[], $2::text[]) as miner (validator_id, miner_hotkey)
  left join lateral (
    select era5_combined_score as best from weather_forecast_stats as forecast
    where ${OF_MINER} and forecast_status = 'completed' and era5_combined_score is not null
    order by era5_combined_score desc limit 1) as best on true
  left join lateral (
    select era5_combined_score as worst from weather_forecast_stats as forecast
    where ${OF_MINER} and forecast_status = 'completed' and era5_combined_score is not null
    order by era5_combined_score limit 1) as worst on true
  left join lateral (
    select completed_at as at from weather_forecast_stats as forecast
    where ${OF_MINER} and ${IS_COUNTED} and forecast_status = 'completed' and completed_at is not null
    order by completed_at desc limit 1) as success on true
  left join lateral (
    select completed_at as at from weather_forecast_stats as forecast
    where ${OF_MINER} and ${IS_COUNTED} and forecast_status = 'failed' and completed_at is not null
    order by completed_at desc limit 1) as failure on true
  left join lateral (
    select forecast_init_time, run_id, forecast_status,
      case forecast_status when 'completed' then 'failed' else 'completed' end as opposite
    from weather_forecast_stats as forecast
    where ${OF_MINER} and ${IS_COUNTED}
    order by ${NEWEST_FIRST} limit 1) as newest on true
  left join lateral (
    select newest.opposite as forecast_status from weather_forecast_stats as forecast
    where ${OF_MINER} and ${IS_COUNTED} and forecast_status = newest.opposite limit 1) as ended on true
  left join lateral (
    select forecast_init_time, run_id from weather_forecast_stats as forecast
    where ${OF_MINER} and ${IS_COUNTED} and forecast_status = ended.forecast_status
    order by ${NEWEST_FIRST} limit 1) as other on true
  cross join lateral (
    select count(*) as length from weather_forecast_stats as forecast
    where ${OF_MINER} and ${IS_COUNTED}
      and (other.run_id is null or (forecast_init_time, forecast.run_id) > (other.forecast_init_time, other.run_id))
  ) as streak`;

function toHistory(row: HistoryRow): ForecastHistory {
  return {
    best: row.best,
    worst: row.worst,
    lastSuccess: row.last_success,
    lastFailure: row.last_failure,
    consecutiveSuccesses: row.last_status === 'completed' ? Number(row.streak) : 0,
    consecutiveFailures: row.last_status === 'failed' ? Number(row.streak) : 0,
    newest: row.newest_run === null ? null : { initTime: row.newest_init, runId: row.newest_run },
  };
}

/** The history of each miner, aggregated over its forecasts that count; by the text of its key. */
export async function readHistories(
  client: ClientBase,
  miners: readonly MinerKey[],
): Promise<ReadonlyMap<string, ForecastHistory>> {
  if (miners.length === 0) return new Map();
  const { rows } = await client.query<HistoryRow>(HISTORY, [
    miners.map(({ validatorId }) => validatorId),
    miners.map(({ minerHotkey }) => minerHotkey),
  ]);
  return new Map(rows.map((row) => [`${row.validator_id}/${row.miner_hotkey}`, toHistory(row)]));
}
