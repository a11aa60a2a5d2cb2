-- What is told of a score that is missing, and of a run that ended before its forecasts did: a lead that waits for truth
-- gives no older error as its reason, a run that waits for GFS says so, and a run that was given up speaks of no retries.

create or replace view newest_attempts as
select distinct on (validator_id, run_id, miner_hotkey, step_name, lead_hours)
  validator_id, run_id, miner_uid, miner_hotkey, step_name, substep, lead_hours, attempt, max_attempts, status,
  min(started_at) over (partition by validator_id, run_id, miner_hotkey, step_name, lead_hours) as first_started_at,
  started_at, completed_at, retries_remaining, next_retry_time, error_type, error_json ->> 'message' as error_message,
  trace_id, span_id,
  case when status = 'waiting_for_truth' then context ->> 'waiting' end as waiting,
  case when status = 'waiting_for_truth'
    then to_timestamp((facts #>> '{state,truthDueTime}')::double precision / 1e6) end as truth_due_time
from weather_forecast_steps
where step_name in ('seed', 'query', 'poll', 'verify', 'day1', 'era5', 'aggregate')
order by validator_id, run_id, miner_hotkey, step_name, lead_hours,
  coalesce(completed_at, started_at) desc, (completed_at is not null) desc, attempt desc, span_id desc;
comment on column newest_attempts.waiting is 'What the step waits for, in words; null unless it waits for truth.';
comment on column newest_attempts.truth_due_time is 'weather.truth.due_time; null unless the step waits for truth.';

create or replace view missing_scores as
select told.validator_id, told.run_id, told.miner_uid, told.miner_hotkey, told.score_type, told.lead_hours, told.status,
  told.error_type, told.reason,
  case when told.truth_due_time < now() then 'upstream' else category.fault end as fault,
  told.next_retry_time, told.retries_remaining, told.trace_id
from (
  select forecast.validator_id, forecast.run_id, forecast.miner_uid, forecast.miner_hotkey, wanted.score_type,
    wanted.lead_hours,
    case when is_given_up then run.status else coalesce(step.status, forecast.forecast_status) end as status,
    case when is_given_up then gfs.error_type
      when step.status = 'waiting_for_truth' then null
      when waits_for_gfs then gfs.error_type
      else coalesce(step.error_type, forecast.forecast_error_msg ->> 'type') end as error_type,
    case when is_given_up
        then 'the run ended before the forecast did (' || run.status || ')' || coalesce(': ' || run.error_message, '')
      when step.status = 'waiting_for_truth' then 'waits for truth' || coalesce(': ' || step.waiting, '')
      when waits_for_gfs then 'the run waits for GFS: ' || gfs.error_message
      else coalesce(step.error_message, forecast.last_error_message,
        case when is_ended
          then 'the forecast ended ' || forecast.forecast_status || ' and told no error'
          else 'not scored yet: the forecast is in stage ' || coalesce(forecast.current_forecast_stage, 'init')
        end) end as reason,
    case when not is_given_up then step.truth_due_time end as truth_due_time,
    case when waits_for_gfs then gfs.next_retry_time when not is_given_up then step.next_retry_time end as next_retry_time,
    case when waits_for_gfs then gfs.retries_remaining
      when not is_given_up then step.retries_remaining end as retries_remaining,
    coalesce(step.trace_id, forecast.trace_id) as trace_id
  from weather_forecast_stats as forecast
  left join weather_forecast_runs as run on (run.validator_id, run.id) = (forecast.validator_id, forecast.run_id)
  -- The newest attempt to read GFS, where it is not there; the run asks no miner before.
  -- Told apart by the run alone, so that the planner knows it to be one row.
  left join (
    select distinct on (seed.validator_id, seed.run_id) seed.validator_id, seed.run_id, seed.error_type,
      seed.error_json ->> 'message' as error_message, seed.next_retry_time, seed.retries_remaining
    from weather_forecast_steps as seed
    where seed.step_name = 'seed' and seed.miner_hotkey is null
    order by seed.validator_id, seed.run_id, coalesce(seed.completed_at, seed.started_at) desc,
      (seed.completed_at is not null) desc, seed.attempt desc, seed.span_id desc
  ) as gfs on (gfs.validator_id, gfs.run_id) = (forecast.validator_id, forecast.run_id)
    and gfs.error_message is not null
  -- The leads that the run scores are those of its steps; before the first of them, one a day.
  left join (
    select step.validator_id, step.run_id, array_agg(distinct step.lead_hours) as hours
    from weather_forecast_steps as step
    where step.step_name = 'era5' and step.lead_hours is not null
    group by step.validator_id, step.run_id
  ) as run_leads on (run_leads.validator_id, run_leads.run_id) = (forecast.validator_id, forecast.run_id)
  cross join lateral (
    select 'day1' as score_type, null::integer as lead_hours where forecast.forecast_score_initial is null
    union all
    select 'era5', lead.hours from (values
      (24, forecast.era5_score_24h), (48, forecast.era5_score_48h), (72, forecast.era5_score_72h),
      (96, forecast.era5_score_96h), (120, forecast.era5_score_120h), (144, forecast.era5_score_144h),
      (168, forecast.era5_score_168h), (192, forecast.era5_score_192h), (216, forecast.era5_score_216h),
      (240, forecast.era5_score_240h)) as lead (hours, score)
    where lead.score is null and case
      when run_leads.hours is null then lead.hours <= 24 * coalesce(forecast.era5_expected_leads, 10)
      else lead.hours = any (run_leads.hours) end
    union all
    select 'era5', lead.hours from unnest(run_leads.hours) as lead (hours)
    where lead.hours not in (24, 48, 72, 96, 120, 144, 168, 192, 216, 240) and not exists (
      select from weather_forecast_steps as scored
      where (scored.validator_id, scored.run_id, scored.miner_hotkey)
          = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
        and scored.step_name = 'era5' and scored.lead_hours = lead.hours and scored.status = 'succeeded')
  ) as wanted
  left join newest_attempts as step on
    (step.validator_id, step.run_id, step.miner_hotkey, step.step_name)
      = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey, wanted.score_type)
    and (wanted.lead_hours is null or step.lead_hours = wanted.lead_hours)
    -- Known before the rows are: polls are not even looked at.
    and step.step_name in ('day1', 'era5')
  cross join lateral (select forecast.forecast_status in ('completed', 'failed') as is_ended) as forecast_end
  cross join lateral (
    select run.completion_time is not null and not is_ended as is_given_up,
      run.status in ('created', 'seeding') and gfs.error_message is not null as waits_for_gfs) as course
) as told
left join error_categories as category on category.category = told.error_type;
comment on view missing_scores is
  'Why a miner has no score for a lead: the newest attempt at that lead, the error that ended the forecast, or what the run waits for.';
comment on column missing_scores.status is
  'Status of the newest attempt at that score; of the forecast when there was none; of the run where that ended before.';

create or replace view run_progress as
select run.validator_id, run.id as run_id, run.gfs_init_time_utc, run.status, run.error_message,
  count(forecast.miner_hotkey) as miners,
  count(*) filter (where forecast.forecast_status = 'completed') as completed,
  count(*) filter (where forecast.forecast_status = 'failed') as failed,
  count(*) filter (where forecast.forecast_status not in ('completed', 'failed') and run.completion_time is null)
    as in_flight,
  count(*) filter (where forecast.next_scheduled_retry is not null and run.completion_time is null) as waiting,
  min(forecast.next_scheduled_retry) filter (where run.completion_time is null) as next_event,
  coalesce(sum(forecast.era5_scored_leads), 0) as leads_scored,
  coalesce(sum(forecast.era5_expected_leads), 0) as leads_expected,
  run.run_initiation_time, run.completion_time, run.trace_id
from weather_forecast_runs as run
left join weather_forecast_stats as forecast
  on (forecast.validator_id, forecast.run_id) = (run.validator_id, run.id)
group by run.validator_id, run.id;
