/**
 * The closed sets of Barograph: every name that code, SQL, metrics, panels and documents share.
 *
 * Each set is an `as const` list with a derived union. A value outside its set is an error, never a default. The few
 * values that no step of the own pipeline sets stand in `unemitted-values.ts`, with the reason.
 */

/** The steps of the pipeline, in the order in which a forecast passes them. */
export const STEP_NAMES = [
  'seed',
  'query',
  'poll',
  'verify',
  'day1',
  'era5',
  'communication',
  'orchestration',
  'aggregate',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

/**
 * The substeps of each step. `attempt` stands for the family `attempt_{n}` of polls: the log holds `attempt_3`,
 * metrics and panels hold `attempt`.
 */
export const SUBSTEPS = {
  seed: ['gfs_download', 'seed_miner'],
  query: ['initiate_fetch'],
  poll: ['attempt'],
  verify: ['manifest'],
  day1: ['score'],
  era5: ['score'],
  communication: ['initiate_fetch', 'poll_job_status', 'kerchunk_request', 'forecast_file'],
  orchestration: ['create_run', 'decision'],
  aggregate: ['miner_scores', 'run_scores'],
} as const satisfies Record<StepName, readonly string[]>;
/** A substep without its number. */
export type SubstepGroup = (typeof SUBSTEPS)[StepName][number];

/** The status of one execution of a step. */
export const STEP_STATUSES = [
  'in_progress',
  'succeeded',
  'failed',
  'retry_scheduled',
  'waiting_for_truth',
  'abandoned',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/**
 * Reasons of a synthetic end, for a step whose real end never came: its process died and left its spool behind, the
 * heartbeat of its process stopped, or its end found no room in the spool. In the order of what each is worth: one
 * that stands later in the list yields to one before it.
 */
export const CLOSING_REASONS = ['process_crash', 'heartbeat_lost', 'spool_full'] as const;
export type ClosingReason = (typeof CLOSING_REASONS)[number];

/** The stages of a miner's forecast, without the number that a stage text may carry. */
export const STAGES = [
  'init',
  'gfs_fetch',
  'inference_requested',
  'inference_running',
  'awaiting_scoring',
  'verification',
  'day1_scoring',
  'day1_scored',
  'era5_scoring',
  'complete',
  'inference_failed',
] as const;
export type Stage = (typeof STAGES)[number];

/** The stages before a miner is asked for anything: a failure of the run as a whole shows in its forecasts there. */
export const STAGES_BEFORE_QUERY = ['init', 'gfs_fetch'] as const satisfies readonly Stage[];

/** The status within a stage. */
export const STAGE_STATUSES = [
  'initialized',
  'in_progress',
  'scoring',
  'polling',
  'polling_for_inference',
  'query_successful',
  'inference_complete',
  'waiting_for_truth',
  'retrying',
  'waiting_retry',
  'error',
  'failed',
  'completed',
] as const;
export type StageStatus = (typeof STAGE_STATUSES)[number];
/** Statuses within a stage after which nothing comes. */
export const FINAL_STAGE_STATUSES = ['completed', 'failed'] as const satisfies readonly StageStatus[];

/** The status within a stage that follows from the outcome of a step, where its span gives none. */
export const STAGE_STATUS_OF: Readonly<Record<StepStatus, StageStatus>> = {
  in_progress: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  retry_scheduled: 'waiting_retry',
  waiting_for_truth: 'waiting_for_truth',
  abandoned: 'error',
};

/** The coarse status of one miner's forecast in one run. */
export const FORECAST_STATUSES = [
  'pending',
  'seeded',
  'input_received',
  'day1_scoring',
  'day1_scored',
  'era5_scoring',
  'completed',
  'failed',
] as const;
export type ForecastStatus = (typeof FORECAST_STATUSES)[number];
export const TERMINAL_FORECAST_STATUSES = [
  'completed',
  'failed',
] as const satisfies readonly ForecastStatus[];

/** The status of a run as a whole. */
export const RUN_STATUSES = [
  'created',
  'seeding',
  'gfs_ready',
  'querying_miners',
  'awaiting_results',
  'completed',
  'failed',
  'all_miners_failed',
  'stale_abandoned',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const TERMINAL_RUN_STATUSES = [
  'completed',
  'failed',
  'all_miners_failed',
  'stale_abandoned',
] as const satisfies readonly RunStatus[];

/**
 * The state of the exchange with a miner in one run. `fetch_initiated`: the request for a forecast is under way, or will
 * be repeated. `miner_offline`, `era5_scoring_failed`: how an exchange ends whose forecast got no score against ERA5.
 */
export const RESPONSE_STATUSES = [
  'received',
  'fetch_initiated',
  'inference_running',
  'forecast_ready',
  'verifying_manifest',
  'verified_manifest_store_opened',
  'awaiting_miner_completion',
  'verification_failed',
  'verification_error',
  'verification_timeout',
  'failed',
  'miner_offline',
  'era5_scoring_failed',
  'forecast_submitted',
] as const;
export type ResponseStatus = (typeof RESPONSE_STATUSES)[number];
/** States of an exchange after which something is still to come. */
export const OPEN_RESPONSE_STATUSES = [
  'received',
  'fetch_initiated',
  'inference_running',
  'forecast_ready',
  'verifying_manifest',
  'awaiting_miner_completion',
] as const satisfies readonly ResponseStatus[];

/** Whether the miner's forecast files could be read. */
export const HOSTING_STATUSES = ['accessible', 'inaccessible', 'timeout', 'error'] as const;
export type HostingStatus = (typeof HOSTING_STATUSES)[number];

/** The truth that a component score was computed against. */
export const SCORE_TYPES = ['day1', 'era5'] as const;
export type ScoreType = (typeof SCORE_TYPES)[number];

/**
 * The checks that a field of a forecast (a variable on a level) can fail, in the order in which they are made: whether
 * the forecast has the field, whether it can be read as it was frozen, whether its values are credible and complete,
 * whether they are plausible (day one only), and whether they give any metric.
 */
export const FIELD_CHECKS = [
  'missing_variable',
  'missing_level',
  'missing_time',
  'manifest_mismatch',
  'unreadable',
  'extreme_value',
  'coverage',
  'climatology_bounds',
  'pattern_correlation',
  'no_finite_metric',
] as const;
export type FieldCheck = (typeof FIELD_CHECKS)[number];

/** The checks of which one failure leaves a whole ERA5 lead without a score; after the others it is scored on the rest. */
export const ERA5_LEAD_CHECKS = [
  'missing_time',
  'manifest_mismatch',
  'unreadable',
  'extreme_value',
  'coverage',
] as const satisfies readonly FieldCheck[];

/** What the fields of a score are of; day one is scored against the analysis where there is one. */
export const INPUT_ROLES = ['forecast', 'truth', 'analysis', 'reference', 'climatology'] as const;
export type InputRole = (typeof INPUT_ROLES)[number];

/**
 * How a store is read: files of a directory, over HTTP, from memory; `verified` over HTTP against a manifest; `stream` by a program
 * that gives the bytes, `program` by one that gives fields, whose bytes are unknown.
 */
export const STORE_KINDS = ['directory', 'http', 'memory', 'verified', 'stream', 'program'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** The transport outcome of a call to a miner, apart from the content of the reply. */
export const TRANSPORT_OUTCOMES = ['success', 'failure'] as const;
export type TransportOutcome = (typeof TRANSPORT_OUTCOMES)[number];

/** The severity of an orchestration decision for an operator. */
export const LOG_LEVELS = ['INFO', 'WARN', 'ERROR'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The decisions of the orchestrator. */
export const DECISIONS = [
  'create_run',
  'seed_miners',
  'fetch_gfs',
  'wait_for_gfs',
  'query_miners',
  'await_results',
  'aggregate_run',
  'complete_run',
  'fail_run',
  'abandon_run',
] as const;
export type Decision = (typeof DECISIONS)[number];

/** The nine forecast variables, by their ERA5 short names. */
export const VARIABLES = ['2t', 'msl', '10u', '10v', 't', 'u', 'v', 'q', 'z'] as const;
export type Variable = (typeof VARIABLES)[number];

/** Isobaric levels of the upper-air variables, hPa. */
export const PRESSURE_LEVELS_HPA = [50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000] as const;

/** Leads scored against ERA5, hours after T0. */
export const ERA5_LEAD_HOURS = [24, 48, 72, 96, 120, 144, 168, 192, 216, 240] as const;
export type Era5LeadHours = (typeof ERA5_LEAD_HOURS)[number];

/** The lead scored on day one against the GFS analysis, hours after T0. */
export const DAY1_LEAD_HOURS = 12;

/**
 * Reasons of a dead letter, a span in `dead_letter_spans` instead of the log: it violates the vocabulary, its
 * timestamps are out of range, its partition was dropped by retention, or the database rejects it. The table allows no
 * other.
 */
export const DEAD_LETTER_REASONS = [
  'invalid_attribute',
  'missing_attribute',
  'clock_out_of_range',
  'partition_dropped',
  'refused_by_database',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/**
 * The two tables of the log, partitioned by time. Retention drops their old partitions; all other tables are permanent.
 */
export const LOG_TABLES = ['weather_forecast_steps', 'weather_forecast_component_scores'] as const;
export type LogTable = (typeof LOG_TABLES)[number];

/** Retention of each table, days; a table that is absent is kept for good. */
export type Retention = Readonly<Partial<Record<LogTable, number>>>;

/** The names of span events that carry facts. */
export const EVENTS = {
  componentScore: 'weather.component_score',
  retryScheduled: 'weather.retry_scheduled',
  decision: 'weather.orchestration.decision',
  exception: 'exception',
} as const;
