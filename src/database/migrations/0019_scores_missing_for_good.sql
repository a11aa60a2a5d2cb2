-- Why scores are missing stays the same when retention drops the steps of an ended run: what is left of them is in the
-- folds of its forecasts. They are read for such runs alone, since the log is faster.
create or replace view missing_scores as
select told.validator_id, told.run_id, told.miner_uid, told.miner_hotkey, told.score_type, told.lead_hours, told.status,
  told.error_type, told.reason,
  case when told.truth_due_time < now() or (told.is_of_run and category.fault = 'miner') then 'upstream'
    else category.fault end as fault,
  told.next_retry_time, told.retries_remaining, told.trace_id,
  (select hotkey from validators where id = told.validator_id) as validator_hotkey
from (
  select forecast.validator_id, forecast.run_id, forecast.miner_uid, forecast.miner_hotkey, wanted.score_type,
    wanted.lead_hours,
    case when is_given_up then run.status
      else coalesce(step.status, forecast.fold #>> array['newest', kept.slot, 'value', 'status'],
        forecast.forecast_status) end as status,
    case when is_given_up then coalesce(forecast.last_error_type, gfs.error_type)
      when step.status = 'waiting_for_truth' then null
      when waits_for_gfs then gfs.error_type
      else coalesce(step.error_type, forecast.fold #>> array['newest', kept.error, 'value', 'type'],
        forecast.last_error_type) end as error_type,
    case when is_given_up
        then 'the run ended before the forecast did (' || run.status || ')' || coalesce(': ' || run.error_message, '')
      when step.status = 'waiting_for_truth' then 'waits for truth' || coalesce(': ' || step.waiting, '')
      when waits_for_gfs then 'the run waits for GFS: ' || gfs.error_message
      else coalesce(step.error_message, forecast.fold #>> array['newest', kept.error, 'value', 'message'],
        forecast.last_error_message,
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
  -- Of these runs, retention has dropped steps.
  left join archived_runs as archived on (archived.validator_id, archived.run_id) = (forecast.validator_id, forecast.run_id)
  -- The leads that the run scores are those that a miner of it has an attempt at; before the first of them, one a day.
  left join (
    select tried.validator_id, tried.run_id, array_agg(distinct tried.lead_hours) as hours
    from (
      select step.validator_id, step.run_id, step.lead_hours
      from weather_forecast_steps as step
      where step.step_name = 'era5' and step.lead_hours is not null
      union all
      select miner.validator_id, miner.run_id, split_part(slot.name, ':', 3)::integer
      from archived_runs as archived
      join weather_forecast_stats as miner on (miner.validator_id, miner.run_id) = (archived.validator_id, archived.run_id)
      cross join lateral json_object_keys(miner.fold -> 'newest') as slot (name)
      where starts_with(slot.name, 'slot:era5:')
    ) as tried
    group by tried.validator_id, tried.run_id
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
      and case when archived.run_id is not null
        then forecast.fold #>> array['newest', 'lead:' || lead.hours, 'value'] is null else true end
  ) as wanted
  left join newest_attempts as step on
    (step.validator_id, step.run_id, step.miner_hotkey, step.step_name)
      = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey, wanted.score_type)
    and (wanted.lead_hours is null or step.lead_hours = wanted.lead_hours)
    -- Known before the rows are: polls are not even looked at.
    and step.step_name in ('day1', 'era5')
  cross join lateral (select forecast.forecast_status in ('completed', 'failed') as is_ended) as forecast_end
  -- Where the folds keep what is left of a newest attempt that was dropped.
  cross join lateral (
    select 'slot:' || register.name as slot, 'error:' || register.name as error
    from (select case when archived.run_id is not null and step.status is null
      then wanted.score_type || coalesce(':' || wanted.lead_hours, '') end as name) as register
  ) as kept
  cross join lateral (
    -- A forecast that its run ended has the time of that end.
    select run.completion_time is not null and (not is_ended or (forecast.forecast_status = 'failed'
        and forecast.completed_at = run.completion_time)) as is_given_up,
      run.status in ('created', 'seeding') and gfs.error_message is not null as waits_for_gfs) as course
) as told
left join error_categories as category on category.category = told.error_type;

comment on column miner_leaderboard.miner_rank is
  'Rank in the run by overall_forecast_score, ties alike; null without a score, or when the forecast failed by another fault than the miner''s.';
