import { counter, gauge, histogram, type MetricDefinition } from './metric-definition.ts';
import { RECORDER_METRICS } from './recorder-metrics.ts';

/** From a cached reply to the scoring of one lead over all its fields, seconds. */
const STEP_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
] as const;

const miner = ['validator_id', 'miner_hotkey', 'miner_uid'] as const;
const minerError = [...miner, 'error_type'] as const;
const step = ['step', 'substep', 'outcome'] as const;
const run = ['validator_id', 'run_id'] as const;

/**
 * `miner_stats`, mirrored: the committed numbers in base units. A null has no series. A ratio that follows exactly from
 * counters is a recording rule, not a metric.
 */
const MINER_METRICS = {
  minerSuccessfulForecasts: counter(
    ['barograph_miner_successful_forecasts_total', '1', 'Forecasts of the miner that were completed.'],
    miner,
  ),
  minerFailedForecasts: counter(
    ['barograph_miner_failed_forecasts_total', '1', 'Forecasts of the miner that failed by its own fault.'],
    miner,
  ),
  minerExcusedForecasts: counter(
    [
      'barograph_miner_excused_forecasts_total',
      '1',
      'Forecasts of the miner that failed by the fault of upstream data or of the validator.',
    ],
    miner,
  ),
  minerHostingSuccesses: counter(
    ['barograph_miner_hosting_successes_total', '1', 'Calls to the miner whose transport succeeded.'],
    miner,
  ),
  minerHostingFailures: counter(
    ['barograph_miner_hosting_failures_total', '1', 'Calls to the miner whose transport failed.'],
    miner,
  ),
  minerHostingLatency: gauge(
    [
      'barograph_miner_avg_hosting_latency_seconds',
      'seconds',
      'Mean latency of the calls to the miner that worked.',
    ],
    miner,
  ),
  minerErrors: counter(
    ['barograph_miner_errors_total', '1', 'Failed steps of the miner by category.'],
    minerError,
  ),
  minerInferenceSeconds: counter(
    ['barograph_miner_inference_seconds_total', 'seconds', 'Time that the miner spent on inference.'],
    miner,
  ),
  minerAvgInference: gauge(
    ['barograph_miner_avg_inference_seconds', 'seconds', 'Mean time of inference of one forecast.'],
    miner,
  ),
  minerRank: gauge(['barograph_miner_rank', '1', 'Rank by mean forecast score; 1 is the best.'], miner),
  minerAvgForecastScore: gauge(
    ['barograph_miner_avg_forecast_score', '1', 'Mean score of completed forecasts, 0 to 1.'],
    miner,
  ),
  minerAvgDay1Score: gauge(['barograph_miner_avg_day1_score', '1', 'Mean day-one score, 0 to 1.'], miner),
  minerAvgEra5Score: gauge(['barograph_miner_avg_era5_score', '1', 'Mean ERA5 score, 0 to 1.'], miner),
  minerEra5Completeness: gauge(
    [
      'barograph_miner_avg_era5_completeness_ratio',
      'ratio',
      'Mean share of the ERA5 leads that have a score; without excused forecasts.',
    ],
    miner,
  ),
  minerBestForecastScore: gauge(
    ['barograph_miner_best_forecast_score', '1', 'Best score of a completed forecast.'],
    miner,
  ),
  minerWorstForecastScore: gauge(
    ['barograph_miner_worst_forecast_score', '1', 'Worst score of a completed forecast.'],
    miner,
  ),
  minerScoreStdDev: gauge(
    ['barograph_miner_score_std_dev', '1', 'Sample standard deviation of the scores of completed forecasts.'],
    miner,
  ),
  minerConsecutiveSuccesses: gauge(
    [
      'barograph_miner_consecutive_successes',
      '1',
      'Newest forecasts that were completed in a row; excused ones do not end it.',
    ],
    miner,
  ),
  minerConsecutiveFailures: gauge(
    [
      'barograph_miner_consecutive_failures',
      '1',
      'Newest forecasts that failed in a row by the fault of the miner.',
    ],
    miner,
  ),
  minerLastSuccess: gauge(
    [
      'barograph_miner_last_successful_forecast_timestamp_seconds',
      'seconds',
      'When a forecast was last completed.',
    ],
    miner,
  ),
  minerLastFailure: gauge(
    [
      'barograph_miner_last_failed_forecast_timestamp_seconds',
      'seconds',
      'When a forecast last failed by the fault of the miner.',
    ],
    miner,
  ),
  minerLastActive: gauge(
    ['barograph_miner_last_active_timestamp_seconds', 'seconds', 'When a call to the miner last worked.'],
    miner,
  ),
} as const;

/** Totals of finished steps since the process started, each step counted once and never by miner. */
const STEP_METRICS = {
  stepDuration: histogram(
    ['barograph_step_duration_seconds', 'seconds', 'Latency of finished steps, failed ones included.'],
    STEP_BUCKETS_SECONDS,
    step,
  ),
  steps: counter(['barograph_steps_total', '1', 'Finished steps.'], step),
  stepErrors: counter(
    ['barograph_step_errors_total', '1', 'Finished steps with an error, by category and party at fault.'],
    ['step', 'error_type', 'fault'],
  ),
  componentScores: counter(
    [
      'barograph_component_scores_total',
      '1',
      'Component scores recorded, one for each variable and level; fields that failed a check count.',
    ],
    ['score_type'],
  ),
  adjustedValues: counter(
    ['barograph_adjusted_values_total', '1', 'Values of spans that were adjusted before they were stored.'],
    ['reason'],
  ),
  truncatedSpans: counter([
    'barograph_truncated_spans_total',
    '1',
    'Spans whose SDK dropped attributes or events at its limits.',
  ]),
} as const;

/**
 * State of the pipeline, read from the tables every few seconds. Every process that records shows all of it, so queries
 * take the maximum over processes.
 */
const STATE_METRICS = {
  validators: gauge(
    ['barograph_validators', '1', 'Always 1: maps a validator to its number in the tables and labels.'],
    ['validator_id', 'validator_hotkey'],
  ),
  runForecasts: gauge(
    ['barograph_run_forecasts', '1', 'Forecasts of an open run, by stage and status.'],
    [...run, 'stage', 'stage_status'],
  ),
  runStatusSince: gauge(
    [
      'barograph_run_status_since_timestamp_seconds',
      'seconds',
      'When an open run entered its present status.',
    ],
    [...run, 'run_status'],
  ),
  runUnfinished: gauge(
    [
      'barograph_run_unfinished_timestamp_seconds',
      'seconds',
      'When a run ended without being completed: the newest of each validator and status.',
    ],
    [...run, 'run_status'],
  ),
  runInit: gauge(
    ['barograph_run_init_timestamp_seconds', 'seconds', 'T0 of an open run: the GFS initialisation time.'],
    run,
  ),
  runsOverflowed: gauge([
    'barograph_metrics_overflowed_runs',
    '1',
    'Open runs without series of their own because the series budget is used up.',
  ]),
  stepsInProgress: gauge(['barograph_steps_in_progress', '1', 'Running steps.'], ['step']),
  oldestStepInProgress: gauge(
    [
      'barograph_oldest_step_in_progress_timestamp_seconds',
      'seconds',
      'Start of the longest running step; absent when none runs.',
    ],
    ['step'],
  ),
  retriesScheduled: gauge(
    [
      'barograph_retries_scheduled',
      '1',
      'Scheduled retries of steps of open runs, without those that wait for truth.',
    ],
    ['step'],
  ),
  retriesOverdue: gauge(
    ['barograph_retries_overdue', '1', 'Scheduled retries of steps of open runs whose time has passed.'],
    ['step'],
  ),
  oldestRetryDue: gauge(
    [
      'barograph_oldest_overdue_retry_timestamp_seconds',
      'seconds',
      'Due time of the retry that is overdue longest; absent when none is.',
    ],
    ['step'],
  ),
  leadsWaitingForTruth: gauge(
    [
      'barograph_leads_waiting_for_truth',
      '1',
      'Leads of forecasts that wait for truth: day1 for the GFS analysis (ERA5 where there is none), era5 for ERA5.',
    ],
    [...run, 'score_type'],
  ),
  oldestTruthDue: gauge(
    [
      'barograph_oldest_truth_due_timestamp_seconds',
      'seconds',
      'Due time of the earliest truth that the scores of a run wait for; absent when they wait for none.',
    ],
    [...run, 'score_type'],
  ),
  deadLetters: gauge(
    ['barograph_dead_letters', '1', 'Dead letters: spans that could not be recorded, by reason.'],
    ['reason'],
  ),
  missingRecords: gauge([
    'barograph_missing_records',
    '1',
    'Numbered records that left their process and never arrived, over all processes; 0 is right.',
  ]),
  conflictingEmitters: gauge([
    'barograph_conflicting_emitters',
    '1',
    'Processes whose records cannot be proved complete, as another one has their id or numbers; 0 is right.',
  ]),
  stateRead: gauge([
    'barograph_state_read_timestamp_seconds',
    'seconds',
    'When this state was last read from the tables.',
  ]),
} as const;

/** All metrics by subject. */
export const METRIC_GROUPS = {
  miners: MINER_METRICS,
  steps: STEP_METRICS,
  pipeline: STATE_METRICS,
  recorder: RECORDER_METRICS,
} as const;

/** Every metric that Barograph exposes. No metric name is typed anywhere else. */
export const METRICS = {
  ...MINER_METRICS,
  ...STEP_METRICS,
  ...STATE_METRICS,
  ...RECORDER_METRICS,
} as const satisfies Record<string, MetricDefinition>;
export type MetricKey = keyof typeof METRICS;
