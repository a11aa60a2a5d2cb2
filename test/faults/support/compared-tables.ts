import type { Pool } from 'pg';

/** What of a table must be the same whatever happened on the way, and what need not be, with the reason. */
export interface ComparedTable {
  readonly table: string;
  /** The order that makes two of them comparable. */
  readonly key: string;
  readonly compared: readonly string[];
  readonly leftOut: readonly { readonly why: string; readonly columns: readonly string[] }[];
}

const INSTANTS = 'instants: a run that was interrupted takes longer';
const ATTEMPTS =
  'bookkeeping of attempts: a call that was cut off is made again, and is one more or one less';
const TRACES = 'trace and span ids are drawn at random';
const DURATIONS = 'how long calls took';

/** What the pipeline resumes from. */
export const CONTROL_TABLES: readonly ComparedTable[] = [
  {
    table: 'pipeline.runs',
    key: 'run_id',
    compared: [
      ...['run_id', 'validator_hotkey', 'init_time', 'status', 'day1_lead', 'era5_leads'],
      ...['failure_category', 'failure_message'],
    ],
    leftOut: [
      { why: INSTANTS, columns: ['initiated_at', 'next_at', 'finished_at'] },
      { why: ATTEMPTS, columns: ['revision', 'attempt'] },
      { why: TRACES, columns: ['root_traceparent', 'attempt_traceparent'] },
      { why: 'each run has stores of its own', columns: ['store_locations'] },
    ],
  },
  {
    table: 'pipeline.run_miners',
    key: 'run_id, miner_uid',
    compared: [
      ...['run_id', 'miner_uid', 'miner_hotkey', 'state', 'job_id'],
      ...['failed_step', 'failure_category', 'failure_message'],
    ],
    leftOut: [
      { why: 'each fleet listens on a port that the kernel chose', columns: ['base_url'] },
      { why: INSTANTS, columns: ['next_at', 'job_accepted_at', 'inference_completed_at'] },
      { why: ATTEMPTS, columns: ['revision', 'attempt'] },
      { why: TRACES, columns: ['root_traceparent', 'attempt_traceparent'] },
    ],
  },
  {
    table: 'pipeline.leads',
    key: 'run_id, miner_uid, score_type, lead_hours',
    compared: [
      ...['run_id', 'miner_uid', 'score_type', 'lead_hours', 'state', 'score'],
      ...['failure_category', 'failure_message'],
    ],
    leftOut: [
      { why: INSTANTS, columns: ['next_at'] },
      { why: ATTEMPTS, columns: ['revision', 'attempt'] },
      { why: TRACES, columns: ['attempt_traceparent'] },
    ],
  },
  {
    // They go with the end of a run: none may be left.
    table: 'pipeline.frozen_manifests',
    key: 'run_id, miner_uid',
    compared: ['run_id', 'miner_uid', 'manifest_hash', 'store_path', 'header', 'files'],
    leftOut: [{ why: INSTANTS, columns: ['frozen_at'] }],
  },
];

const FOLD = 'what the folds remember to go on from: instants and counts of attempts';
const NUMBERED =
  'validators are numbered as they come, and a transaction that is broken off uses up a number';
const ERA5_LEADS = [24, 48, 72, 96, 120, 144, 168, 192, 216, 240];

/** What the spans were folded to. */
export const RECORDED_TABLES: readonly ComparedTable[] = [
  {
    table: 'weather_forecast_runs',
    key: 'validator_id, id',
    compared: [
      ...['id', 'target_forecast_time_utc', 'gfs_init_time_utc', 'gfs_input_metadata'],
      ...['status', 'error_message'],
    ],
    leftOut: [
      { why: NUMBERED, columns: ['validator_id'] },
      {
        why: INSTANTS,
        columns: ['run_initiation_time', 'completion_time', 'final_scoring_attempted_time', 'updated_at'],
      },
      { why: TRACES, columns: ['trace_id'] },
      { why: FOLD, columns: ['fold'] },
    ],
  },
  {
    table: 'weather_miner_responses',
    key: 'validator_id, run_id, miner_hotkey',
    compared: [
      ...['id', 'run_id', 'miner_uid', 'miner_hotkey', 'job_id', 'status'],
      ...['kerchunk_json_url', 'target_netcdf_url_template', 'kerchunk_json_retrieved'],
      ...['frozen_manifest_files', 'verification_hash_computed', 'verification_hash_claimed'],
      ...['verification_passed', 'input_hash_miner', 'input_hash_validator', 'input_hash_match'],
    ],
    leftOut: [
      { why: NUMBERED, columns: ['validator_id'] },
      {
        why: INSTANTS,
        columns: [
          ...['response_time', 'manifest_frozen_at', 'last_polled_time', 'inference_started_at'],
          ...['job_accepted_at', 'inference_completed_at', 'day1_scoring_completed_at'],
          ...['era5_scoring_completed_at', 'updated_at'],
        ],
      },
      { why: ATTEMPTS, columns: ['error_message', 'retry_count', 'next_retry_time'] },
      { why: DURATIONS, columns: ['total_pipeline_duration_seconds'] },
      { why: TRACES, columns: ['trace_id'] },
      { why: FOLD, columns: ['fold'] },
    ],
  },
  {
    table: 'weather_forecast_stats',
    key: 'validator_id, run_id, miner_hotkey',
    compared: [
      ...['id', 'run_id', 'miner_uid', 'miner_hotkey', 'miner_rank', 'validator_hotkey'],
      ...['forecast_run_id', 'forecast_init_time', 'forecast_type', 'forecast_input_sources'],
      ...['forecast_status', 'current_forecast_stage', 'current_forecast_status', 'hosting_status'],
      ...['forecast_score_initial', ...ERA5_LEADS.map((lead) => `era5_score_${lead}h`)],
      ...['era5_combined_score', 'era5_completeness', 'era5_scored_leads', 'era5_expected_leads'],
      ...['overall_forecast_score', 'avg_rmse', 'avg_acc', 'avg_skill_score'],
    ],
    leftOut: [
      { why: NUMBERED, columns: ['validator_id'] },
      { why: INSTANTS, columns: ['stage_since', 'completed_at', 'created_at', 'updated_at'] },
      {
        why: ATTEMPTS,
        columns: [
          ...['last_error_message', 'last_error_type', 'last_error_fault', 'forecast_error_msg'],
          ...['retries_remaining', 'next_scheduled_retry'],
        ],
      },
      { why: DURATIONS, columns: ['forecast_inference_duration_seconds', 'hosting_latency_ms'] },
      { why: TRACES, columns: ['trace_id'] },
      { why: FOLD, columns: ['fold'] },
    ],
  },
  {
    table: 'weather_forecast_component_scores',
    key: 'validator_id, run_id, miner_hotkey, score_type, lead_hours, variable_name, pressure_level',
    compared: [
      ...['run_id', 'response_id', 'miner_uid', 'miner_hotkey', 'score_type', 'lead_hours'],
      ...['valid_time_utc', 'variable_name', 'pressure_level', 'rmse', 'mse', 'acc', 'bias', 'mae'],
      ...['skill_score', 'skill_score_gfs', 'skill_score_climatology', 'climatology_check_passed'],
      ...['plain_skill_score_gfs', 'plain_skill_score_climatology', 'coverage'],
      ...['pattern_correlation', 'pattern_correlation_passed', 'clone_penalty', 'quality_penalty'],
      ...['weighted_score', 'variable_weight', 'reason', 'failed_check'],
      ...['forecast_digest', 'truth_digest', 'reference_digest', 'climatology_digest'],
    ],
    leftOut: [
      { why: NUMBERED, columns: ['validator_id'] },
      { why: INSTANTS, columns: ['calculated_at'] },
      { why: DURATIONS, columns: ['calculation_duration_ms'] },
      { why: TRACES, columns: ['trace_id', 'span_id'] },
    ],
  },
  {
    table: 'miner_stats',
    key: 'validator_id, miner_hotkey',
    compared: [
      ...['miner_uid', 'miner_hotkey', 'is_selected', 'miner_rank', 'validator_hotkey'],
      ...['avg_forecast_score', 'avg_day1_score', 'avg_era5_score', 'avg_era5_completeness'],
      ...['best_forecast_score', 'worst_forecast_score', 'score_std_dev'],
      ...['consecutive_successes', 'consecutive_failures'],
    ],
    leftOut: [
      { why: NUMBERED, columns: ['validator_id'] },
      {
        why: INSTANTS,
        columns: [
          ...['last_successful_forecast', 'last_failed_forecast', 'first_seen', 'last_active', 'updated_at'],
        ],
      },
      {
        why: ATTEMPTS,
        columns: [
          ...['successful_forecasts', 'failed_forecasts', 'excused_forecasts', 'forecast_success_ratio'],
          ...['hosting_successes'],
          ...['hosting_failures', 'host_reliability_ratio', 'common_errors', 'error_rate_by_type'],
        ],
      },
      { why: DURATIONS, columns: ['avg_hosting_latency_ms', 'total_inference_time', 'avg_inference_time'] },
      { why: FOLD, columns: ['fold'] },
    ],
  },
];

/** The rows of a table, as far as they are compared. */
export async function readCompared(
  pool: Pool,
  { table, key, compared }: ComparedTable,
): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `select ${compared.join(', ')} from ${table} order by ${key}`,
  );
  return JSON.parse(JSON.stringify(rows).replaceAll(FIRST_BAD_FILE, 'A file does')) as typeof rows;
}

/** The files of a store are verified several at a time: which bad one is found first is chance. */
const FIRST_BAD_FILE = /File \S+ does(?= not have the hash)/g;

/** The columns of a table that have no place in its comparison: a new one must be given one. */
export async function findUnplaced(
  pool: Pool,
  { table, compared, leftOut }: ComparedTable,
): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [table],
  );
  const placed = [...compared, ...leftOut.flatMap(({ columns }) => columns)];
  const names = rows.map(({ name }) => name);
  return [
    ...names.filter((name) => !placed.includes(name)),
    ...placed.filter((name) => !names.includes(name)),
  ];
}
