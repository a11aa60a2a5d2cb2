-- Who is at fault for the newest error of a forecast, and the forecasts that do not count for their miner because
-- upstream data or the validator ended them.
alter table weather_forecast_stats add column last_error_type text, add column last_error_fault text;
comment on column weather_forecast_stats.last_error_type is 'Category of last_error_message.';
comment on column weather_forecast_stats.last_error_fault is
  'Who is at fault for it: miner, upstream or validator. A forecast that failed by another fault than the miner''s does not count for the miner.';
comment on column weather_forecast_stats.last_error_message is
  'Newest error of a step that has not succeeded since; until the miner is asked also of the run''s own steps. Once the run has ended a forecast that had not, the reason of the run.';
comment on column weather_forecast_stats.forecast_error_msg is 'Category, fault, message and time of last_error_message.';
comment on column weather_forecast_stats.current_forecast_stage is
  'Stage of the newest step; gfs_fetch while the run fetches its input; while all leads wait, that of the lead that is looked for next.';
comment on column weather_forecast_stats.current_forecast_status is
  'Status within the stage: weather.stage.status, or else what follows from the outcome of the step.';
comment on column weather_forecast_stats.retries_remaining is
  'Retries left of the step that is tried next, or else of the newest step; 0 once the forecast has ended.';
comment on column weather_forecast_stats.next_scheduled_retry is
  'Earliest retry or wait for truth to come; null once the forecast has ended.';
comment on column weather_forecast_stats.completed_at is
  'When the forecast ended, by itself or with its run.';
comment on column weather_forecast_stats.miner_rank is
  'Rank in the run by overall_forecast_score, ties alike; null without a score, or when the forecast failed by another fault than the miner''s.';

update weather_forecast_stats as forecast set last_error_type = category.category, last_error_fault = category.fault
from error_categories as category where category.category = forecast.forecast_error_msg ->> 'type';

-- The last column lets the history of a miner be read from the index alone.
drop index weather_forecast_stats_finished;
create index weather_forecast_stats_finished on weather_forecast_stats
  (validator_id, miner_hotkey, forecast_init_time desc, run_id desc, forecast_status, last_error_fault)
  where forecast_status in ('completed', 'failed');
drop index weather_forecast_stats_last;
create index weather_forecast_stats_last on weather_forecast_stats
  (validator_id, miner_hotkey, forecast_status, completed_at, last_error_fault)
  where forecast_status in ('completed', 'failed');

alter table miner_stats add column excused_forecasts bigint not null default 0;
comment on column miner_stats.excused_forecasts is
  'Forecasts that failed by the fault of upstream data or of the validator. They count neither as successes nor as failures, nor in streaks and ranks.';
comment on column miner_stats.failed_forecasts is 'Forecasts that failed by the fault of the miner.';

-- A run that ends now ends its forecasts as well; nothing is tried again after the end of a forecast.
create or replace view missing_scores as
select told.validator_id, told.run_id, told.miner_uid, told.miner_hotkey, told.score_type, told.lead_hours, told.status,
  told.error_type, told.reason,
  case when told.truth_due_time < now() or (told.is_of_run and category.fault = 'miner') then 'upstream'
    else category.fault end as fault,
  told.next_retry_time, told.retries_remaining, told.trace_id
from (
  select forecast.validator_id, forecast.run_id, forecast.miner_uid, forecast.miner_hotkey, wanted.score_type,
    wanted.lead_hours,
    case when is_given_up then run.status else coalesce(step.status, forecast.forecast_status) end as status,
    case when is_given_up then coalesce(forecast.last_error_type, gfs.error_type)
      when step.status = 'waiting_for_truth' then null
      when waits_for_gfs then gfs.error_type
      else coalesce(step.error_type, forecast.last_error_type) end as error_type,
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
    coalesce(step.trace_id, forecast.trace_id) as trace_id, is_given_up or waits_for_gfs as is_of_run
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
    -- A forecast that its run ended has the time of that end.
    select run.completion_time is not null and (not is_ended or (forecast.forecast_status = 'failed'
        and forecast.completed_at = run.completion_time)) as is_given_up,
      run.status in ('created', 'seeding') and gfs.error_message is not null as waits_for_gfs) as course
) as told
left join error_categories as category on category.category = told.error_type;

create or replace view scheduled_retries as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, step.step_name, step.lead_hours,
  step.attempt as attempts_made, step.max_attempts, step.retries_remaining, step.next_retry_time,
  step.status = 'waiting_for_truth' as waits_for_truth, step.error_type, step.error_message, step.trace_id
from newest_attempts as step
join weather_forecast_runs as run on (run.validator_id, run.id) = (step.validator_id, step.run_id)
left join weather_forecast_stats as forecast on (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
  = (step.validator_id, step.run_id, step.miner_hotkey)
where step.next_retry_time is not null and step.status in ('retry_scheduled', 'waiting_for_truth')
  and run.completion_time is null and coalesce(forecast.forecast_status, 'pending') not in ('completed', 'failed');

create or replace view current_miner_stats as
select distinct on (validator_id, miner_uid) *
from miner_stats
where miner_uid is not null
order by validator_id, miner_uid, updated_at desc, miner_hotkey;
comment on column current_miner_stats.failed_forecasts is 'Forecasts that failed by the fault of the miner.';
comment on column current_miner_stats.excused_forecasts is
  'Forecasts that failed by the fault of upstream data or of the validator. They count neither as successes nor as failures, nor in streaks and ranks.';
comment on column miner_leaderboard.last_error_message is
  'Newest error of a step that has not succeeded since; until the miner is asked also of the run''s own steps. Once the run has ended a forecast that had not, the reason of the run.';
comment on column miner_leaderboard.current_forecast_stage is
  'Stage of the newest step; gfs_fetch while the run fetches its input; while all leads wait, that of the lead that is looked for next.';

-- A step of the run as a whole calls no miner: its time-outs and lost connections are those of a store, and no call
-- within it counts them already.
create or replace view step_faults as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, party.fault, step.error_type, step.step_name,
  count(*) as failures, min(step.completed_at) as first_at, max(step.completed_at) as last_at
from weather_forecast_steps as step
join error_categories as category on category.category = step.error_type
cross join lateral (
  select case when step.miner_hotkey is null and category.fault = 'miner' then 'upstream' else category.fault end as fault
) as party
where case when step.error_type = 'process_crash' then step.step_name <> 'communication'
  else step.step_name = 'communication' or step.miner_hotkey is null or not category.is_transport end
group by step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, party.fault, step.error_type, step.step_name;

create view inconsistent_rows as
select forecast.validator_id, forecast.run_id, forecast.miner_hotkey, 'weather_forecast_stats' as table_name,
  found.problem, found.detail
from weather_forecast_stats as forecast
left join weather_forecast_runs as run on (run.validator_id, run.id) = (forecast.validator_id, forecast.run_id)
cross join lateral (select forecast.forecast_status in ('completed', 'failed') as is_ended) as forecast_end
cross join lateral (values
  ('open_in_ended_run', run.completion_time is not null and not is_ended, 'forecast_status ' || forecast.forecast_status),
  ('open_status_after_end', is_ended and forecast.current_forecast_status not in ('completed', 'failed'),
    'current_forecast_status ' || forecast.current_forecast_status),
  ('retry_after_end', is_ended and (forecast.next_scheduled_retry is not null or forecast.retries_remaining > 0),
    'retries_remaining ' || coalesce(forecast.retries_remaining::text, 'null') || ', next_scheduled_retry '
      || coalesce(forecast.next_scheduled_retry::text, 'null')),
  ('end_without_time', is_ended and forecast.completed_at is null and run.completion_time is not null,
    'completed_at is null')
) as found (problem, is_found, detail)
where found.is_found
union all
select response.validator_id, response.run_id, response.miner_hotkey, 'weather_miner_responses', 'open_in_ended_run',
  'status ' || coalesce(response.status, 'null') || ', next_retry_time ' || coalesce(response.next_retry_time::text, 'null')
from weather_miner_responses as response
join weather_forecast_runs as run on (run.validator_id, run.id) = (response.validator_id, response.run_id)
where run.completion_time is not null and (response.next_retry_time is not null or response.status in ('received',
  'fetch_initiated', 'inference_running', 'forecast_ready', 'verifying_manifest', 'awaiting_miner_completion'))
union all
-- A step may end shortly after its run; an hour later nobody works on it.
select step.validator_id, step.run_id, step.miner_hotkey, 'weather_forecast_steps', 'open_in_ended_run',
  step.step_name || ' ' || step.substep || ' in progress since ' || step.started_at
from weather_forecast_steps_running as step
join weather_forecast_runs as run on (run.validator_id, run.id) = (step.validator_id, step.run_id)
where run.completion_time < now() - interval '1 hour';
comment on view inconsistent_rows is
  'Rows of ended runs and forecasts that say that something is still to come. Empty, unless somebody changed rows by hand or a fault of Barograph made them.';
comment on column inconsistent_rows.validator_id is 'Validator.';
comment on column inconsistent_rows.run_id is 'Run.';
comment on column inconsistent_rows.miner_hotkey is 'Miner; null for a step of the run as a whole.';
comment on column inconsistent_rows.table_name is 'The table that the row is in.';
comment on column inconsistent_rows.problem is
  'open_in_ended_run, open_status_after_end, retry_after_end or end_without_time.';
comment on column inconsistent_rows.detail is 'The columns that contradict the end, with their values.';
