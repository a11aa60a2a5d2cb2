import type { Attempt, Explanation, FailedCheck, MissingScore, RunState } from '#reports/explanation';
import type { MinerReport, RunReport } from '#reports/run-report';

const DAY = '2026-11-23T18:';

/** A successful first query; a test changes what it is about. */
export const attempt = (changes: Partial<Attempt> = {}): Attempt => ({
  started_at: `${DAY}00:00.000Z`,
  step_name: 'query',
  substep: 'initiate_fetch',
  lead_hours: null,
  attempt: 1,
  max_attempts: 4,
  status: 'succeeded',
  latency_ms: 12.345,
  error_type: null,
  error_message: null,
  next_retry_time: null,
  score: null,
  progress: null,
  waiting: null,
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  trace_sampled: null,
  span_id: 'b7ad6b7169203331',
  parent_span_id: '00f067aa0ba902b7',
  ...changes,
});

/** A call that the attempt of the default span made. */
export const call = (changes: Partial<Attempt> = {}): Attempt =>
  attempt({
    step_name: 'communication',
    max_attempts: null,
    span_id: 'c8be7c8270314442',
    parent_span_id: 'b7ad6b7169203331',
    ...changes,
  });

export const missingScore = (changes: Partial<MissingScore> = {}): MissingScore => ({
  score_type: 'era5',
  status: 'failed',
  lead_hours: 24,
  reason: 'Field 2t of the forecast is not scored.',
  error_type: 'data_coverage',
  fault: 'miner',
  next_retry_time: null,
  retries_remaining: null,
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  ...changes,
});

export const failedCheck = (changes: Partial<FailedCheck> = {}): FailedCheck => ({
  score_type: 'era5',
  lead_hours: 24,
  failed_check: 'coverage',
  fields: ['z500'],
  looked_at: 69,
  ...changes,
});

export const runCourse = (changes: Partial<RunState> = {}): RunState => ({
  status: 'completed',
  error_message: null,
  is_over: true,
  gfs: null,
  ...changes,
});

export const explanation = (changes: Partial<Explanation> = {}): Explanation => ({
  validator_hotkey: '5Validator',
  run_id: 3,
  miner_uid: 7,
  miner_hotkey: '5MinerSeven',
  forecast_status: 'completed',
  stage: 'complete',
  overall_forecast_score: 0.80713,
  miner_rank: 1,
  run: runCourse(),
  attempts: [attempt(), call()],
  missing_scores: [],
  failed_checks: [],
  ...changes,
});

export const minerReport = (changes: Partial<MinerReport> = {}): MinerReport => ({
  rank: 1,
  uid: 7,
  hotkey: '5ER5JmFXqDZxiKDSzr6XpqE1i6Fo8ez52grU3LCzgSATgtwg',
  forecast_status: 'completed',
  stage: 'complete',
  stage_status: 'completed',
  day1_score: 0.96512,
  era5_scores: { 24: 0.98, 48: 0, 72: null },
  era5_combined_score: 0.797,
  era5_completeness: 1,
  overall_forecast_score: 0.80713,
  avg_acc: 0.872,
  avg_skill_score: 0.5,
  retries: 0,
  last_error: null,
  error_type: null,
  next_scheduled_retry: null,
  missing_variables: [],
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  ...changes,
});

export const runReport = (changes: Partial<RunReport> = {}): RunReport => ({
  run: {
    validator_hotkey: '5Validator',
    id: 3,
    init_time: '2026-11-23T00:00:00.000Z',
    status: 'completed',
    error: null,
    duration_seconds: 12.94,
    trace_id: '0af7651916cd43dd8448eb211c80319c',
  },
  miners: [minerReport()],
  recorded: { weather_forecast_runs: 1, weather_forecast_steps: 577 },
  completeness: { started: 577, recorded: 577, in_flight: 0, sender_loss: null },
  ...changes,
});
