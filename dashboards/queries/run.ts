import { linkedTrace, ofRun, ofValidator, SQL_VARIABLES } from '../panels/sql.ts';

const theRun = `${ofValidator('run')} and run.id = ${SQL_VARIABLES.run}`;

export const RUN_STATUS = `
select run.status
from weather_forecast_runs as run
where ${theRun}`;

/** Seconds since an instant; null while it lies in the future. */
const secondsPast = (instant: string): string =>
  `nullif(greatest(extract(epoch from now() - ${instant}), 0), 0)::double precision`;

/** The fold of a run holds when each status was entered; the table has a column for the end only. */
export const RUN_STATUS_SINCE = `
select to_timestamp((run.fold -> 'oldest' -> ('status:' || run.status) -> 'at' ->> 0)::double precision / 1e6) as since,
  run.gfs_init_time_utc as init_time
from weather_forecast_runs as run
where ${theRun}`;

export const RUN_MINERS = `
select progress.miners, progress.completed, progress.failed, progress.in_flight, progress.waiting
from run_progress as progress
where ${ofRun('progress')}`;

export const RUN_LEADS = `
select progress.leads_scored, progress.leads_expected,
  progress.leads_scored::double precision / nullif(progress.leads_expected, 0) as share_scored
from run_progress as progress
where ${ofRun('progress')}`;

export const RUN_COMPLETENESS = `
select books.started, books.recorded, books.in_flight, books.spooled, books.dead, books.dropped, books.unaccounted,
  coalesce(books.missing_sequences::text, 'none') as missing, coalesce(books.emitter_conflicts::text, 'none') as conflicts,
  coalesce(books.sender_loss, 'none') as sender_loss
from run_completeness as books
where ${ofRun('books')}`;

export const MINERS_BY_STAGE = `
select regexp_replace(coalesce(forecast.current_forecast_stage, 'init'), '_[0-9]+[%h]$', '') as stage, count(*) as miners
from weather_forecast_stats as forecast
where ${ofRun('forecast')}
group by 1
order by 2 desc, 1`;

export const MINER_GRID = `
select forecast.miner_uid, forecast.miner_hotkey, forecast.current_forecast_stage, forecast.current_forecast_status,
  forecast.forecast_status, forecast.miner_rank, forecast.overall_forecast_score, forecast.forecast_score_initial,
  forecast.era5_scored_leads, forecast.era5_expected_leads, forecast.forecast_error_msg ->> 'type' as error_type,
  forecast.last_error_message, forecast.next_scheduled_retry, forecast.retries_remaining, forecast.stage_since,
  ${linkedTrace('forecast')} as trace_id,
  floor(extract(epoch from forecast.created_at) * 1000)::bigint::text as from_ms,
  ceil(extract(epoch from forecast.updated_at) * 1000)::bigint::text as to_ms
from weather_forecast_stats as forecast
where ${ofRun('forecast')}
order by forecast.miner_uid, forecast.miner_hotkey`;

export const STUCK_STEPS = `
select stuck.miner_uid, stuck.miner_hotkey, stuck.step_name, stuck.lead_hours, stuck.attempt, stuck.status,
  extract(epoch from now() - stuck.since)::double precision as held_for, stuck.error_type, stuck.error_message,
  stuck.since, stuck.waits_until, stuck.retries_remaining, ${linkedTrace('stuck')} as trace_id
from stuck_steps as stuck
where ${ofRun('stuck')} and stuck.status <> 'waiting_for_truth'
order by stuck.since, stuck.miner_uid
limit 500`;

/** One row per waiting lead: its miners wait for the same truth. */
export const WAITING_FOR_TRUTH = `
select step.step_name, step.lead_hours, count(*) as forecasts, min(step.first_started_at) as since, due.due_time,
  ${secondsPast('due.due_time')} as late_by, min(step.next_retry_time) as next_retry_time,
  min(${linkedTrace('step')}) as trace_id
from newest_attempts as step
left join (
  select waited.step_name, waited.lead_hours, max((waited.context ->> 'truth_due_time')::timestamptz) as due_time
  from weather_forecast_steps as waited
  where ${ofRun('waited')} and waited.status = 'waiting_for_truth'
  group by waited.step_name, waited.lead_hours
) as due on due.step_name = step.step_name and due.lead_hours = step.lead_hours
where ${ofRun('step')} and step.status = 'waiting_for_truth'
group by step.step_name, step.lead_hours, due.due_time
order by step.lead_hours`;

export const SCHEDULED_RETRIES = `
select retry.miner_uid, retry.miner_hotkey, retry.step_name, retry.lead_hours, retry.next_retry_time,
  ${secondsPast('retry.next_retry_time')} as overdue_by, retry.attempts_made, retry.retries_remaining,
  retry.waits_for_truth::text as waits_for_truth, retry.error_type, retry.error_message, ${linkedTrace('retry')} as trace_id
from scheduled_retries as retry
where ${ofRun('retry')}
order by retry.next_retry_time
limit 500`;

export const TRUTH_LATENESS = `
select lead.lead_hours || ' h' as lead,
  greatest(0, extract(epoch from coalesce(lead.scored_at, now()) - lead.due_time))::double precision as late_by
from (
  select step.lead_hours, max((step.context ->> 'truth_due_time')::timestamptz) as due_time,
    min(step.completed_at) filter (where step.status = 'succeeded') as scored_at
  from weather_forecast_steps as step
  where ${ofRun('step')} and step.step_name = 'era5'
  group by step.lead_hours
) as lead
where lead.due_time is not null
order by lead.lead_hours`;

export const DECISIONS = `
select log.created_at, log.level, log.decision, log.reason, ${linkedTrace('log')} as trace_id, log.span_id
from validator_job_logs as log
where ${ofRun('log')}
order by log.created_at desc, log.decision_index desc
limit 500`;

export const MISSING_SCORES = `
select missing.miner_uid, missing.miner_hotkey, missing.score_type, missing.lead_hours, missing.fault,
  missing.reason, missing.error_type, missing.status, missing.next_retry_time, missing.retries_remaining,
  ${linkedTrace('missing')} as trace_id
from missing_scores as missing
where ${ofRun('missing')}
order by missing.miner_uid, missing.score_type, missing.lead_hours
limit 3000`;

export const RUN_FAULTS = `
select faults.fault, faults.error_type, faults.step_name, count(distinct faults.miner_hotkey) as miners,
  sum(faults.failures)::bigint as failures, max(faults.last_at) as last_at
from step_faults as faults
where ${ofRun('faults')}
group by faults.fault, faults.error_type, faults.step_name
order by failures desc, faults.error_type, faults.step_name`;

export const REPEATED_SCORES = `
select repeated.miner_uid, repeated.miner_hotkey, repeated.score_type, repeated.lead_hours, repeated.times_scored
from repeated_scores as repeated
where ${ofRun('repeated')}
order by repeated.miner_uid, repeated.score_type, repeated.lead_hours`;
