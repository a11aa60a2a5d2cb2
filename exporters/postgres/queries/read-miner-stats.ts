import type { ClientBase, Pool } from 'pg';
import type { CommittedMinerStats, MinerStats } from '#facts/miner-stats';
import { epochMicros } from '../sql/sql-values.ts';
import type { MinerKey } from '../projections/tables/miner-history.ts';

type TimeName = 'lastSuccessfulForecast' | 'lastFailedForecast' | 'firstSeen' | 'lastActive' | 'updatedAt';

/** The columns of `miner_stats` by their names in code. */
const FIELDS: Readonly<Record<Exclude<keyof MinerStats, TimeName>, string>> = {
  validatorId: 'validator_id',
  validatorHotkey: 'validator_hotkey',
  minerHotkey: 'miner_hotkey',
  minerUid: 'miner_uid',
  isSelected: 'is_selected',
  minerRank: 'miner_rank',
  avgForecastScore: 'avg_forecast_score',
  successfulForecasts: 'successful_forecasts::float8',
  failedForecasts: 'failed_forecasts::float8',
  excusedForecasts: 'excused_forecasts::float8',
  forecastSuccessRatio: 'forecast_success_ratio',
  hostingSuccesses: 'hosting_successes::float8',
  hostingFailures: 'hosting_failures::float8',
  hostReliabilityRatio: 'host_reliability_ratio',
  avgHostingLatencyMs: 'avg_hosting_latency_ms',
  avgDay1Score: 'avg_day1_score',
  avgEra5Score: 'avg_era5_score',
  avgEra5Completeness: 'avg_era5_completeness',
  bestForecastScore: 'best_forecast_score',
  worstForecastScore: 'worst_forecast_score',
  scoreStdDev: 'score_std_dev',
  consecutiveSuccesses: 'consecutive_successes::float8',
  consecutiveFailures: 'consecutive_failures::float8',
  totalInferenceTime: 'total_inference_time',
  avgInferenceTime: 'avg_inference_time',
  commonErrors: 'common_errors',
  errorRateByType: 'error_rate_by_type',
};

const TIMES: Readonly<Record<TimeName, string>> = {
  lastSuccessfulForecast: 'last_successful_forecast',
  lastFailedForecast: 'last_failed_forecast',
  firstSeen: 'first_seen',
  lastActive: 'last_active',
  updatedAt: 'updated_at',
};

/**
 * Select list of a row as `CommittedMinerStats`; the row version is its writing transaction and its place (`xmin`,
 * `ctid`).
 */
export const SELECT_MINER_STATS = [
  `miner_stats.xmin::text || miner_stats.ctid::text as "rowVersion"`,
  ...Object.entries(FIELDS).map(([name, column]) => `${column} as "${name}"`),
  ...Object.entries(TIMES).map(([name, column]) => `${epochMicros(column)} as "${name}"`),
].join(', ');

/** Rows of `miner_stats`: those of the given miners, or all. */
export async function readMinerStats(
  client: ClientBase | Pool,
  miners?: readonly MinerKey[],
): Promise<readonly CommittedMinerStats[]> {
  if (miners === undefined) {
    return (await client.query<CommittedMinerStats>(`select ${SELECT_MINER_STATS} from miner_stats`)).rows;
  }
  if (miners.length === 0) return [];
  const keys = distinctMiners(miners);
  const { rows } = await client.query<CommittedMinerStats>(
    `select ${SELECT_MINER_STATS} from miner_stats
     where (validator_id, miner_hotkey) in (select * from unnest($1::int[], $2::text[]))`,
    [keys.map(({ validatorId }) => validatorId), keys.map(({ minerHotkey }) => minerHotkey)],
  );
  return rows;
}

function distinctMiners(miners: readonly MinerKey[]): readonly MinerKey[] {
  const known = new Map<number, Set<string>>();
  return miners.filter(({ validatorId, minerHotkey }) => {
    const ofValidator = known.get(validatorId) ?? new Set();
    if (ofValidator.has(minerHotkey)) return false;
    known.set(validatorId, ofValidator.add(minerHotkey));
    return true;
  });
}
