import type { MinerStats } from '#facts/miner-stats';
import type { EpochMicros } from '#facts/step-fact';
import { ERROR_CATEGORIES, type ErrorCategory } from '#semconv';
import type { CounterDefinition, GaugeDefinition } from '#semconv/metric-definition';
import { METRICS } from '#semconv/metrics';

type MinerLabel = 'validator_id' | 'miner_hotkey' | 'miner_uid' | 'error_type';

/** One value of one column; `errorType` where the column has a value for each category. */
export interface MinerValue {
  readonly value: number;
  readonly errorType?: ErrorCategory;
}

/** The counter columns: all that the overflow sums need of a miner. */
export type MinerCounters = Pick<
  MinerStats,
  | 'successfulForecasts'
  | 'failedForecasts'
  | 'excusedForecasts'
  | 'hostingSuccesses'
  | 'hostingFailures'
  | 'commonErrors'
  | 'totalInferenceTime'
>;

/** A column that is a counter. */
export interface CounterColumn {
  readonly kind: 'counter';
  readonly metric: CounterDefinition<MinerLabel>;
  readonly read: (row: MinerCounters) => readonly MinerValue[];
}

/** A column that is a gauge. */
export interface GaugeColumn {
  readonly kind: 'gauge';
  readonly metric: GaugeDefinition<MinerLabel>;
  /** Empty where the column is null: unknown is not 0. */
  readonly read: (row: MinerStats) => readonly MinerValue[];
}

/** A column without a metric, since PromQL derives it exactly from the metrics of other columns. */
export interface DerivedColumn {
  readonly kind: 'derived';
  readonly promql: string;
}

/** A column without a metric, since another column carries the same information better. */
export interface OmittedColumn {
  readonly kind: 'omitted';
  readonly reason: string;
}

/** How one column of `miner_stats` becomes one metric. */
export type MinerSeries = CounterColumn | GaugeColumn;

type Column = Exclude<keyof MinerStats, 'validatorId' | 'validatorHotkey' | 'minerHotkey' | 'minerUid'>;

const counter = (
  metric: CounterDefinition<MinerLabel>,
  read: (row: MinerCounters) => number,
): CounterColumn => ({ kind: 'counter', metric, read: (row) => [{ value: read(row) }] });

const gauge = (
  metric: GaugeDefinition<MinerLabel>,
  read: (row: MinerStats) => number | null,
): GaugeColumn => ({
  kind: 'gauge',
  metric,
  read: (row) => {
    const value = read(row);
    return value === null ? [] : [{ value }];
  },
});

/** A gauge in another unit than its column: `perUnit` units of the column are one unit of the metric. */
const scaled = (
  metric: GaugeDefinition<MinerLabel>,
  perUnit: number,
  read: (row: MinerStats) => number | null,
): GaugeColumn =>
  gauge(metric, (row) => {
    const value = read(row);
    return value === null ? null : value / perUnit;
  });

const milliseconds = (metric: GaugeDefinition<MinerLabel>, read: (row: MinerStats) => number | null) =>
  scaled(metric, 1e3, read);

const instant = (metric: GaugeDefinition<MinerLabel>, read: (row: MinerStats) => EpochMicros | null) =>
  scaled(metric, 1e6, read);

const errorCounter: CounterColumn = {
  kind: 'counter',
  metric: METRICS.minerErrors,
  read: ({ commonErrors }) =>
    ERROR_CATEGORIES.flatMap((errorType) => {
      const value = commonErrors[errorType];
      return value === undefined ? [] : [{ value, errorType }];
    }),
};

/** The share of `part` in `part + rest`; no series while both are 0. */
const share = (part: CounterDefinition, rest: CounterDefinition): DerivedColumn => ({
  kind: 'derived',
  promql: `${part.name} / (${part.name} + ${rest.name} > 0)`,
});

const errorShare: DerivedColumn = {
  kind: 'derived',
  promql: `${METRICS.minerErrors.name} / ignoring (error_type) group_left sum without (error_type) (${METRICS.minerErrors.name})`,
};

/** Every column of `miner_stats`: its metric, or why it has none. A missing column does not compile. */
export const MINER_SERIES = {
  isSelected: { kind: 'omitted', reason: 'It decides which miners have series; the table has it.' },
  successfulForecasts: counter(METRICS.minerSuccessfulForecasts, (row) => row.successfulForecasts),
  failedForecasts: counter(METRICS.minerFailedForecasts, (row) => row.failedForecasts),
  excusedForecasts: counter(METRICS.minerExcusedForecasts, (row) => row.excusedForecasts),
  forecastSuccessRatio: share(METRICS.minerSuccessfulForecasts, METRICS.minerFailedForecasts),
  hostingSuccesses: counter(METRICS.minerHostingSuccesses, (row) => row.hostingSuccesses),
  hostingFailures: counter(METRICS.minerHostingFailures, (row) => row.hostingFailures),
  hostReliabilityRatio: share(METRICS.minerHostingSuccesses, METRICS.minerHostingFailures),
  avgHostingLatencyMs: milliseconds(METRICS.minerHostingLatency, (row) => row.avgHostingLatencyMs),
  commonErrors: errorCounter,
  errorRateByType: errorShare,
  totalInferenceTime: counter(METRICS.minerInferenceSeconds, (row) => row.totalInferenceTime),
  avgInferenceTime: gauge(METRICS.minerAvgInference, (row) => row.avgInferenceTime),
  minerRank: gauge(METRICS.minerRank, (row) => row.minerRank),
  avgForecastScore: gauge(METRICS.minerAvgForecastScore, (row) => row.avgForecastScore),
  avgDay1Score: gauge(METRICS.minerAvgDay1Score, (row) => row.avgDay1Score),
  avgEra5Score: gauge(METRICS.minerAvgEra5Score, (row) => row.avgEra5Score),
  avgEra5Completeness: gauge(METRICS.minerEra5Completeness, (row) => row.avgEra5Completeness),
  bestForecastScore: gauge(METRICS.minerBestForecastScore, (row) => row.bestForecastScore),
  worstForecastScore: gauge(METRICS.minerWorstForecastScore, (row) => row.worstForecastScore),
  scoreStdDev: gauge(METRICS.minerScoreStdDev, (row) => row.scoreStdDev),
  consecutiveSuccesses: gauge(METRICS.minerConsecutiveSuccesses, (row) => row.consecutiveSuccesses),
  consecutiveFailures: gauge(METRICS.minerConsecutiveFailures, (row) => row.consecutiveFailures),
  lastSuccessfulForecast: instant(METRICS.minerLastSuccess, (row) => row.lastSuccessfulForecast),
  lastFailedForecast: instant(METRICS.minerLastFailure, (row) => row.lastFailedForecast),
  firstSeen: { kind: 'omitted', reason: 'It stays as it is once it is known; the table has it.' },
  lastActive: instant(METRICS.minerLastActive, (row) => row.lastActive),
  updatedAt: {
    kind: 'omitted',
    reason: 'The time of our last write; last_active is the last activity of the miner.',
  },
} as const satisfies Record<Column, MinerSeries | DerivedColumn | OmittedColumn>;

/** The columns that have a metric, in the order in which they are shown. */
export const MIRRORED_COLUMNS: readonly MinerSeries[] = Object.values(MINER_SERIES).filter(
  (column) => column.kind === 'counter' || column.kind === 'gauge',
);
