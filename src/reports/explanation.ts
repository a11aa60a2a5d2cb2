import type { Pool } from 'pg';
import { utcText } from './utc-text.ts';

/** One attempt of a step, as the log holds it. */
export interface Attempt {
  readonly started_at: string;
  readonly step_name: string;
  readonly substep: string;
  readonly lead_hours: number | null;
  readonly attempt: number;
  readonly max_attempts: number | null;
  readonly status: string;
  readonly latency_ms: number | null;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly next_retry_time: string | null;
  readonly score: number | null;
  /** Inference progress, 0 to 100, where a poll reported it. */
  readonly progress: number | null;
  /** Why the step waits, where it does. */
  readonly waiting: string | null;
  readonly trace_id: string;
  /** Whether the trace was to be sent to a trace store; null when nobody said. */
  readonly trace_sampled: boolean | null;
  readonly span_id: string;
  readonly parent_span_id: string | null;
}

/** An expected score that is missing. */
export interface MissingScore {
  readonly score_type: string;
  readonly lead_hours: number | null;
  /** Status of the newest attempt at it; of the forecast when there was none. */
  readonly status: string;
  readonly reason: string;
  readonly error_type: string | null;
  /** Who has to act: miner, upstream or validator. */
  readonly fault: string | null;
  readonly next_retry_time: string | null;
  readonly retries_remaining: number | null;
  readonly trace_id: string | null;
}

/** The fields of one lead that failed one check. */
export interface FailedCheck {
  readonly score_type: string;
  readonly lead_hours: number;
  readonly failed_check: string;
  /** Variables with level: `2t`, `z500`. */
  readonly fields: readonly string[];
  /** How many fields of the lead were looked at. */
  readonly looked_at: number;
}

/** The state of the run as a whole, as far as its forecasts depend on it. */
export interface RunState {
  readonly status: string | null;
  readonly error_message: string | null;
  /** Whether it is over: then nothing is retried. */
  readonly is_over: boolean;
  /** The newest attempt to read GFS, which must succeed before any miner is queried. */
  readonly gfs: Pick<
    Attempt,
    'attempt' | 'max_attempts' | 'status' | 'error_type' | 'error_message' | 'next_retry_time'
  > | null;
}

/** The history of a miner's forecast; its keys are those of the `--json` document. */
export interface Explanation {
  readonly validator_hotkey: string;
  readonly run_id: number;
  readonly miner_uid: number | null;
  readonly miner_hotkey: string;
  readonly forecast_status: string;
  readonly stage: string | null;
  readonly overall_forecast_score: number | null;
  readonly miner_rank: number | null;
  readonly run: RunState;
  readonly attempts: readonly Attempt[];
  readonly missing_scores: readonly MissingScore[];
  readonly failed_checks: readonly FailedCheck[];
}

const text = (column: string): string => `${utcText(column)} as ${column}`;

const FORECAST = `
  select validator_id, validator_hotkey, run_id::float8 as run_id, miner_uid, miner_hotkey, forecast_status,
    current_forecast_stage as stage, overall_forecast_score, miner_rank
  from weather_forecast_stats
  where (validator_id, run_id) = ((select id from validators where hotkey = $1), $2)
    and (miner_hotkey = $3 or miner_uid::text = $3)
  order by updated_at desc limit 1`;

const RUN = `
  select run.status, run.error_message, run.completion_time is not null as is_over,
    case when gfs.span_id is not null then json_build_object('attempt', gfs.attempt, 'max_attempts', gfs.max_attempts,
      'status', gfs.status, 'error_type', gfs.error_type, 'error_message', gfs.error_message,
      'next_retry_time', ${utcText('gfs.next_retry_time')}) end as gfs
  from weather_forecast_runs as run
  left join newest_attempts as gfs on (gfs.validator_id, gfs.run_id) = (run.validator_id, run.id)
    and gfs.step_name = 'seed' and gfs.miner_hotkey is null
  where run.validator_id = $1 and run.id = $2`;

/** A run whose own row is not recorded, although its miners are. */
const UNKNOWN_RUN: RunState = { status: null, error_message: null, is_over: false, gfs: null };

const ATTEMPTS = `
  select ${text('started_at')}, step_name, substep, lead_hours, attempt, max_attempts, status, latency_ms, error_type,
    error_json ->> 'message' as error_message, ${text('next_retry_time')},
    coalesce(facts #>> '{state,scoreEra5}', facts #>> '{state,scoreInitial}')::float8 as score,
    (context ->> 'progress')::float8 as progress, context ->> 'waiting' as waiting, trace_id, trace_sampled, span_id,
    parent_span_id
  from weather_forecast_steps
  where validator_id = $1 and run_id = $2 and miner_hotkey = $3
  order by weather_forecast_steps.started_at, weather_forecast_steps.span_id`;

const MISSING = `
  select score_type, lead_hours, status, reason, error_type, fault, ${text('next_retry_time')}, retries_remaining, trace_id
  from missing_scores
  where validator_id = $1 and run_id = $2 and miner_hotkey = $3
  order by score_type, lead_hours`;

const FAILED_CHECKS = `
  select failed.score_type, failed.lead_hours, failed.failed_check,
    array_agg(concat(failed.variable_name, failed.pressure_level)
      order by failed.variable_name, failed.pressure_level) as fields,
    (select count(*)::int from weather_forecast_component_scores as score
     where (score.validator_id, score.run_id, score.miner_hotkey) = ($1, $2, $3)
       and (score.score_type, score.lead_hours) = (failed.score_type, failed.lead_hours)) as looked_at
  from failed_checks as failed
  where failed.validator_id = $1 and failed.run_id = $2 and failed.miner_hotkey = $3
  group by failed.score_type, failed.lead_hours, failed.failed_check
  order by failed.score_type, failed.lead_hours, failed.failed_check`;

/** Which forecast is explained. */
export interface ForecastName {
  readonly validatorHotkey: string;
  readonly runId: number;
  /** Hotkey or UID. */
  readonly miner: string;
}

/** Reads the history of one miner in one run of a validator; null when there is no such forecast. */
export async function readExplanation(
  pool: Pool,
  { validatorHotkey, runId, miner }: ForecastName,
): Promise<Explanation | null> {
  type Forecast = Omit<Explanation, 'run' | 'attempts' | 'missing_scores'> & {
    readonly validator_id: number;
  };
  const [forecast] = (await pool.query<Forecast>(FORECAST, [validatorHotkey, runId, miner])).rows;
  if (forecast === undefined) return null;
  const { validator_id: validatorId, ...fields } = forecast;
  const key = [validatorId, runId, forecast.miner_hotkey];
  const [run = UNKNOWN_RUN] = (await pool.query<RunState>(RUN, [validatorId, runId])).rows;
  const { rows: attempts } = await pool.query<Attempt>(ATTEMPTS, key);
  const { rows: missing } = await pool.query<MissingScore>(MISSING, key);
  const { rows: failed } = await pool.query<FailedCheck>(FAILED_CHECKS, key);
  return { ...fields, run, attempts, missing_scores: missing, failed_checks: failed };
}
