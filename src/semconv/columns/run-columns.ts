import {
  by,
  copyOf,
  newest,
  notWritten,
  updatedBy,
  VALIDATOR_ID,
  type ColumnSources,
  type RecordedTable,
} from './column-source.ts';

const RUNS: ColumnSources = {
  validator_id: VALIDATOR_ID,
  id: copyOf('weather.run.id'),
  run_initiation_time: newest('weather.run.initiation_time'),
  target_forecast_time_utc: by(
    'The newest; T0 without one',
    'weather.run.target_time',
    'weather.run.init_time',
  ),
  gfs_init_time_utc: newest('weather.run.init_time'),
  gfs_input_metadata: newest('weather.run.input_metadata'),
  status: by('The newest; a terminal one stays', 'weather.run.status'),
  completion_time: by(
    'The end of the first step that reported the terminal status',
    'weather.run.status',
    'span.end_time_unix_nano',
  ),
  final_scoring_attempted_time: by(
    'The end of the newest step `aggregate` of the run as a whole',
    'weather.step.name',
    'span.end_time_unix_nano',
  ),
  error_message: newest('weather.run.error_message'),
  trace_id: by('Of the first step of the run as a whole', 'span.trace_id'),
  updated_at: updatedBy('the run'),
  fold: by('The value of each column with the time of its write'),
};

const EXCHANGE = 'newest query, poll or verification that has a real end';

const RESPONSES: ColumnSources = {
  validator_id: VALIDATOR_ID,
  id: by(
    '53 bits of the SHA-256 of both; unique within a validator only',
    'weather.run.id',
    'weather.miner.hotkey',
  ),
  run_id: copyOf('weather.run.id'),
  miner_uid: newest('weather.miner.uid'),
  miner_hotkey: copyOf('weather.miner.hotkey'),
  response_time: by(
    'The end of the newest call `initiate_fetch` that succeeded in transport; without the attribute by status and category',
    'weather.response.transport',
    'weather.step.name',
    'weather.step.substep',
    'weather.step.status',
    'error.type',
    'span.end_time_unix_nano',
  ),
  job_id: newest('weather.job.id'),
  kerchunk_json_url: newest('weather.forecast.store_path'),
  target_netcdf_url_template: notWritten('no forecast is hosted as NetCDF'),
  kerchunk_json_retrieved: newest('weather.manifest.header'),
  frozen_manifest_files: notWritten(
    'the list of files is control state of the pipeline, too large for a span',
  ),
  verification_hash_computed: newest('weather.manifest.hash_computed'),
  verification_hash_claimed: newest('weather.manifest.hash_claimed'),
  verification_passed: newest('weather.verification.passed'),
  manifest_frozen_at: newest('weather.manifest.frozen_time'),
  status: by(
    'The newest; `failed` once the run has ended an exchange that was open',
    'weather.response.status',
    'weather.run.status',
  ),
  error_message: by(
    `Of the ${EXCHANGE}; null when it has no error; of the run once it has ended the exchange`,
    'weather.response.status',
    'weather.run.status',
    'weather.run.error_message',
    'weather.step.name',
    'weather.step.superseded',
    'exception',
    'span.status',
    'error.type',
    'weather.step.status',
    'weather.closing.reason',
  ),
  input_hash_miner: notWritten('the protocol has no input hash any more'),
  input_hash_validator: notWritten('the protocol has no input hash any more'),
  input_hash_match: notWritten('the protocol has no input hash any more'),
  retry_count: by(
    `Of the ${EXCHANGE}, less 1`,
    'weather.step.name',
    'weather.step.attempt',
    'weather.closing.reason',
  ),
  next_retry_time: by(
    `Of the ${EXCHANGE}; none after the end of the forecast or the run`,
    'weather.step.name',
    'weather.retry.next_time',
    'weather.step.superseded',
    'weather.closing.reason',
    'weather.forecast.status',
    'weather.run.status',
  ),
  last_polled_time: by(
    'The end of the newest poll that has a real end',
    'weather.step.name',
    'span.end_time_unix_nano',
    'weather.closing.reason',
  ),
  inference_started_at: by(
    'The newest; null for a forecast that was ready at once',
    'weather.inference.started_time',
  ),
  job_accepted_at: by('The first', 'weather.job.accepted_time'),
  inference_completed_at: newest('weather.inference.completed_time'),
  day1_scoring_completed_at: by(
    'The end of the newest step `day1` that succeeded',
    'weather.step.name',
    'weather.step.status',
    'span.end_time_unix_nano',
  ),
  era5_scoring_completed_at: by(
    'The end of the newest step `aggregate` that reported `completed` or `failed`',
    'weather.forecast.status',
    'weather.step.name',
    'span.end_time_unix_nano',
  ),
  total_pipeline_duration_seconds: by(
    'From the first to the second',
    'weather_miner_responses.job_accepted_at',
    'weather_miner_responses.era5_scoring_completed_at',
  ),
  trace_id: by('Of the first span of the miner in the run', 'span.trace_id'),
  updated_at: updatedBy('the miner in the run, and of the end of the run', 'weather.run.status'),
  fold: by('The value of each column with the time of its write'),
};

const JOB_LOGS: ColumnSources = {
  validator_id: VALIDATOR_ID,
  trace_id: copyOf('span.trace_id'),
  span_id: copyOf('span.span_id'),
  decision_index: by('Its place among the decisions of the span, from 0', 'weather.orchestration.decision'),
  run_id: copyOf('weather.run.id'),
  job_id: copyOf('weather.step.queue_job_id'),
  created_at: by('The time of the event', 'weather.orchestration.decision'),
  level: by('`INFO` without it', 'weather.orchestration.level'),
  decision: copyOf('weather.orchestration.decision'),
  reason: by('Scrubbed of secrets', 'weather.orchestration.reason'),
  message: by('Both as one sentence', 'weather.orchestration.decision', 'weather.orchestration.reason'),
};

/** A run, the exchange with each of its miners, and the decisions about it. */
export const RUN_COLUMNS = {
  weather_forecast_runs: RUNS,
  weather_miner_responses: RESPONSES,
  validator_job_logs: JOB_LOGS,
} satisfies Partial<Record<RecordedTable, ColumnSources>>;
