import { METRICS } from '#semconv/metrics';
import { PRODUCTION, type Pace, type Paces } from './pace.ts';
import { buckets, by, growth, latest, series } from './promql.ts';
import type { RecordingRule, RuleGroup } from './rule.ts';
import { TOO_MANY, VERIFICATION_WINDOW } from './thresholds.ts';

/** The windows of the error budget, and those that panels show. */
const ERROR_WINDOWS = ['5m', '30m', '1h', '6h', '1d', '3d'] as const;
export type ErrorWindow = (typeof ERROR_WINDOWS)[number];

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

const minerLabels = METRICS.minerSuccessfulForecasts.labels;

/** The share of finished steps that ended with an error, by who is at fault. Absent where nothing failed. */
export const errorRatioName = (window: ErrorWindow) => `barograph:step_errors:ratio_rate${window}` as const;

const errorRatio = (window: ErrorWindow, { range }: Pace): RecordingRule => ({
  record: errorRatioName(window),
  labels: ['step', 'fault'],
  expr: `${by('sum', ['step', 'fault'], `rate(${series(METRICS.stepErrors)}[${range(window)}])`)}
/ on (step) group_left () ${by('sum', ['step'], `rate(${series(METRICS.steps)}[${range(window)}])`)}`,
});

const stepRules = (pace: Pace): readonly RecordingRule[] => [
  {
    record: 'barograph:steps:rate5m',
    labels: ['step', 'outcome'],
    expr: by('sum', ['step', 'outcome'], `rate(${series(METRICS.steps)}[${pace.range('5m')}])`),
  },
  ...ERROR_WINDOWS.map((window) => errorRatio(window, pace)),
  {
    record: 'barograph:step_faults:rate5m',
    labels: ['fault'],
    expr: by('sum', ['fault'], `rate(${series(METRICS.stepErrors)}[${pace.range('5m')}])`),
  },
  ...Object.entries(QUANTILES).map(([name, quantile]): RecordingRule => ({
    record: `barograph:step_duration_seconds:${name}_rate5m`,
    labels: ['step', 'substep'],
    expr: `histogram_quantile(${quantile}, sum by (step, substep, le) (rate(${buckets(METRICS.stepDuration)}[${pace.range('5m')}])))`,
  })),
];

/** The share of successes in successes and failures; no series while there were neither. */
const shareOf = (good: string, bad: string): string =>
  `${latest(good)}
/ ((${latest(good)} + ${latest(bad)}) > 0)`;

/** Miners whose newest forecast failed and that worked until lately, and miners whose newest forecast was completed. */
export const MINERS_NEWLY_FAILING = 'barograph:miners_newly_failing:count';
export const MINERS_SUCCEEDING = 'barograph:miners_succeeding:count';
/** Verifications that ended within the window, by outcome. */
export const VERIFICATIONS = `barograph:verifications:increase${VERIFICATION_WINDOW}`;

const minerRules = ({ range }: Pace): readonly RecordingRule[] => [
  {
    record: 'barograph:miner_forecast_success:ratio',
    labels: minerLabels,
    expr: shareOf(series(METRICS.minerSuccessfulForecasts), series(METRICS.minerFailedForecasts)),
  },
  {
    record: 'barograph:miner_host_reliability:ratio',
    labels: minerLabels,
    expr: shareOf(series(METRICS.minerHostingSuccesses), series(METRICS.minerHostingFailures)),
  },
  {
    record: 'barograph:miner_error:ratio',
    labels: METRICS.minerErrors.labels,
    expr: `${latest(series(METRICS.minerErrors))}
/ ignoring (error_type) group_left () (${by('sum', minerLabels, latest(series(METRICS.minerErrors)))} > 0)`,
  },
  {
    record: MINERS_NEWLY_FAILING,
    labels: ['validator_id'],
    expr: by(
      'count',
      ['validator_id'],
      `${latest(series(METRICS.minerConsecutiveFailures))} >= 1 <= ${TOO_MANY.recentFailures}`,
    ),
  },
  {
    record: MINERS_SUCCEEDING,
    labels: ['validator_id'],
    expr: by('count', ['validator_id'], `${latest(series(METRICS.minerConsecutiveSuccesses))} >= 1`),
  },
  {
    record: VERIFICATIONS,
    labels: ['outcome'],
    expr: by(
      'sum',
      ['outcome'],
      growth(
        series(METRICS.steps, { step: 'verify', outcome: ['failed', 'succeeded'] }),
        range(VERIFICATION_WINDOW),
      ),
    ),
  },
];

const recorderRules = ({ range }: Pace): readonly RecordingRule[] => [
  {
    record: 'barograph:recorder_batches:rate5m',
    labels: ['result'],
    expr: by('sum', ['result'], `rate(${series(METRICS.recorderBatches)}[${range('5m')}])`),
  },
  {
    record: 'barograph:recorder_rows_written:rate5m',
    labels: ['table'],
    expr: by('sum', ['table'], `rate(${series(METRICS.recorderRowsWritten)}[${range('5m')}])`),
  },
  {
    record: 'barograph:recorder_batch_duration_seconds:p95_rate5m',
    labels: ['result'],
    expr: `histogram_quantile(0.95, sum by (result, le) (rate(${buckets(METRICS.recorderBatchDuration)}[${range('5m')}])))`,
  },
  {
    record: 'barograph:recorder_spool_used:ratio',
    labels: [],
    expr: `max(${series(METRICS.recorderSpoolBytes)} / ${series(METRICS.recorderSpoolLimit)})`,
  },
];

/** All recording rules. The ratios of a miner are here and not in the exporter: they follow from its counters. */
export const recordingGroups = ({ pipeline, recorder }: Paces): readonly RuleGroup<RecordingRule>[] => [
  { name: 'barograph-steps', rules: stepRules(pipeline) },
  { name: 'barograph-miners', rules: minerRules(pipeline) },
  { name: 'barograph-recorder', rules: recorderRules(recorder) },
];

/** The recording rules as they are checked in. */
export const RECORDING_GROUPS = recordingGroups(PRODUCTION);

/** The recorded series by name, as the alerts and panels may use them. */
export const RECORDED_SERIES: ReadonlyMap<string, RecordingRule> = new Map(
  RECORDING_GROUPS.flatMap(({ rules }) => rules).map((rule) => [rule.record, rule]),
);
