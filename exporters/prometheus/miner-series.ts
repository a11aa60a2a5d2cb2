import type { MinerStats } from '../../src/facts/miner-stats.ts';
import type { EpochMicros } from '../../src/facts/step-fact.ts';
import { ERROR_CATEGORIES, type ErrorCategory } from '../../src/semconv/index.ts';
import type { CounterDefinition, GaugeDefinition } from '../../src/semconv/metric-definition.ts';
import { METRICS } from '../../src/semconv/metrics.ts';

type MinerLabel = 'validator_id' | 'miner_hotkey' | 'miner_uid' | 'error_type';

/** One value of one column; `errorType` where the column has a value for each category. */
export interface MinerValue {
  readonly value: number;
  readonly errorType?: ErrorCategory;
}

/** How one column of `miner_stats` becomes one metric. */
export interface MinerSeries {
  readonly metric: CounterDefinition<MinerLabel> | GaugeDefinition<MinerLabel>;
  /** Empty where the column is null: unknown is not 0. */
  readonly read: (row: MinerStats) => readonly MinerValue[];
}

type Column = Exclude<keyof MinerStats, 'validatorId' | 'validatorHotkey' | 'minerHotkey' | 'minerUid'>;
type Metric = MinerSeries['metric'];

const plain = (metric: Metric, read: (row: MinerStats) => number | null): MinerSeries => ({
  metric,
  read: (row) => {
    const value = read(row);
    return value === null ? [] : [{ value }];
  },
});

const milliseconds = (metric: Metric, read: (row: MinerStats) => number | null): MinerSeries =>
  plain(metric, (row) => {
    const value = read(row);
    return value === null ? null : value / 1e3;
  });

const instant = (metric: Metric, read: (row: MinerStats) => EpochMicros | null): MinerSeries =>
  plain(metric, (row) => {
    const value = read(row);
    return value === null ? null : value / 1e6;
  });

const byCategory = (
  metric: Metric,
  read: (row: MinerStats) => Readonly<Partial<Record<ErrorCategory, number>>> | null,
): MinerSeries => ({
  metric,
  read: (row) => {
    const values = read(row) ?? {};
    return ERROR_CATEGORIES.flatMap((errorType) => {
      const value = values[errorType];
      return value === undefined ? [] : [{ value, errorType }];
    });
  },
});

/** Every column of `miner_stats`. A column without a metric does not compile. */
export const MINER_SERIES = {
  successfulForecasts: plain(METRICS.minerSuccessfulForecasts, (row) => row.successfulForecasts),
  failedForecasts: plain(METRICS.minerFailedForecasts, (row) => row.failedForecasts),
  forecastSuccessRatio: plain(METRICS.minerForecastSuccessRatio, (row) => row.forecastSuccessRatio),
  hostingSuccesses: plain(METRICS.minerHostingSuccesses, (row) => row.hostingSuccesses),
  hostingFailures: plain(METRICS.minerHostingFailures, (row) => row.hostingFailures),
  hostReliabilityRatio: plain(METRICS.minerHostReliability, (row) => row.hostReliabilityRatio),
  avgHostingLatencyMs: milliseconds(METRICS.minerHostingLatency, (row) => row.avgHostingLatencyMs),
  commonErrors: byCategory(METRICS.minerErrors, (row) => row.commonErrors),
  errorRateByType: byCategory(METRICS.minerErrorRatio, (row) => row.errorRateByType),
  totalInferenceTime: plain(METRICS.minerInferenceSeconds, (row) => row.totalInferenceTime),
  avgInferenceTime: plain(METRICS.minerAvgInference, (row) => row.avgInferenceTime),
  minerRank: plain(METRICS.minerRank, (row) => row.minerRank),
  avgForecastScore: plain(METRICS.minerAvgForecastScore, (row) => row.avgForecastScore),
  avgDay1Score: plain(METRICS.minerAvgDay1Score, (row) => row.avgDay1Score),
  avgEra5Score: plain(METRICS.minerAvgEra5Score, (row) => row.avgEra5Score),
  avgEra5Completeness: plain(METRICS.minerEra5Completeness, (row) => row.avgEra5Completeness),
  bestForecastScore: plain(METRICS.minerBestForecastScore, (row) => row.bestForecastScore),
  worstForecastScore: plain(METRICS.minerWorstForecastScore, (row) => row.worstForecastScore),
  scoreStdDev: plain(METRICS.minerScoreStdDev, (row) => row.scoreStdDev),
  consecutiveSuccesses: plain(METRICS.minerConsecutiveSuccesses, (row) => row.consecutiveSuccesses),
  consecutiveFailures: plain(METRICS.minerConsecutiveFailures, (row) => row.consecutiveFailures),
  lastSuccessfulForecast: instant(METRICS.minerLastSuccess, (row) => row.lastSuccessfulForecast),
  lastFailedForecast: instant(METRICS.minerLastFailure, (row) => row.lastFailedForecast),
  firstSeen: instant(METRICS.minerFirstSeen, (row) => row.firstSeen),
  lastActive: instant(METRICS.minerLastActive, (row) => row.lastActive),
  updatedAt: instant(METRICS.minerUpdated, (row) => row.updatedAt),
} as const satisfies Record<Column, MinerSeries>;
