-- Two views, told so that asking for one run reads that run alone, and once: each part is mentioned once, and a
-- condition on validator_id and run_id reaches the indexes. run_completeness used to add up the whole log each time,
-- missing_scores to read the steps of the run for each of its miners.

create or replace view run_completeness as
with parts as (
  select step.validator_id, step.run_id, coalesce(step.instance_id, '') as instance_id,
    count(*) filter (where step.status <> 'in_progress' and step.facts ->> 'closing' is distinct from 'spool_full') as recorded,
    count(*) filter (where step.status = 'in_progress') as in_flight,
    count(*) filter (where step.status = 'abandoned') as abandoned,
    count(*) filter (where step.facts ->> 'closing' = 'spool_full') as lost_ends,
    count(*) filter (where (step.facts ->> 'truncated')::boolean) as truncated,
    0::bigint as dead, null::bigint as started, 0::bigint as spooled, null::jsonb as dropped
  from weather_forecast_steps as step
  group by step.validator_id, step.run_id, coalesce(step.instance_id, '')
  union all
  -- A span may be here with its start and with its end, and its start may run in the log: it is one dead span.
  select validator.id, letter.run_id, coalesce(letter.instance_id, ''), 0,
    - count(distinct (letter.trace_id, letter.span_id)) filter (where exists (
      select from weather_forecast_steps_running as running
      where (running.validator_id, running.trace_id, running.span_id)
          = (validator.id, letter.trace_id, letter.span_id))),
    0, 0, 0, count(distinct (letter.trace_id, letter.span_id)), null, 0, null
  from dead_letter_spans as letter
  join validators as validator on validator.hotkey = letter.validator_hotkey
  where letter.run_id is not null and not exists (
    select from weather_forecast_steps_finished as finished
    where (finished.validator_id, finished.trace_id, finished.span_id)
        = (validator.id, letter.trace_id, letter.span_id))
    and (letter.phase = 'ended' or not exists (
      select from weather_forecast_steps_running as running
      where (running.validator_id, running.trace_id, running.span_id)
          = (validator.id, letter.trace_id, letter.span_id)))
  group by validator.id, letter.run_id, coalesce(letter.instance_id, '')
  union all
  select books.validator_id, books.run_id, books.instance_id, 0, 0, 0, 0, 0, 0, books.started, books.spooled, books.dropped
  from emitter_runs as books
), counted as (
  select validator_id, run_id, instance_id, sum(recorded) as recorded, sum(in_flight) as in_flight,
    sum(abandoned) as abandoned, sum(lost_ends) as lost_ends, sum(truncated) as truncated, sum(dead) as dead,
    max(started) as started, sum(spooled) as spooled,
    coalesce(jsonb_agg(dropped) filter (where dropped is not null), '[]') as dropped
  from parts
  group by validator_id, run_id, instance_id
), total as (
  select validator_id, run_id,
    -- Who numbers no records tells no count of its own: what came is what was started.
    sum(coalesce(started, recorded + in_flight + dead + lost_ends))::bigint as started,
    sum(recorded)::bigint as recorded, sum(in_flight)::bigint as in_flight, sum(spooled)::bigint as spooled,
    sum(dead)::bigint as dead, sum(abandoned)::bigint as abandoned, sum(truncated)::bigint as truncated,
    sum(lost_ends)::bigint as lost_ends, jsonb_agg(dropped) as dropped,
    count(nullif(instance_id, '')) as emitters, array_agg(instance_id) as instances
  from counted
  group by validator_id, run_id
)
select total.validator_id, total.run_id, total.started, total.recorded, total.in_flight, total.spooled, total.dead,
  coalesce(dropped.spans, 0) as dropped, coalesce(dropped.by_reason, '{}') as dropped_by_reason,
  total.started - total.recorded - total.in_flight - total.spooled - total.dead - coalesce(dropped.spans, 0) as unaccounted,
  missing.sequences as missing_sequences, total.abandoned, total.truncated, total.emitters
from total
left join lateral (
  select jsonb_object_agg(told.reason, told.spans) as by_reason, sum(told.spans)::bigint as spans
  from (
    select one.reason, sum(one.spans)::bigint as spans
    from (
      select entry.key as reason, entry.value::bigint as spans
      from jsonb_path_query(total.dropped, 'lax $[*][*]') as book
      cross join lateral jsonb_each_text(book) as entry
      union all
      select 'spool_full', total.lost_ends where total.lost_ends > 0
    ) as one
    group by one.reason
  ) as told
) as dropped on true
left join lateral (
  select jsonb_object_agg(books.instance_id, books.missing::text) as sequences
  from emitter_books as books
  where books.validator_id = total.validator_id and books.instance_id = any (total.instances)
    and not isempty(books.missing)
) as missing on true;

create or replace view missing_scores as
select forecast.validator_id, forecast.run_id, forecast.miner_uid, forecast.miner_hotkey, wanted.score_type,
  wanted.lead_hours, coalesce(step.status, forecast.forecast_status) as status,
  coalesce(step.error_type, forecast.forecast_error_msg ->> 'type') as error_type,
  coalesce(step.error_message, forecast.last_error_message,
    case when forecast.forecast_status in ('completed', 'failed')
      then 'the forecast ended ' || forecast.forecast_status || ' and told no error'
      else 'not scored yet: the forecast is in stage ' || coalesce(forecast.current_forecast_stage, 'init')
    end) as reason,
  category.fault, step.next_retry_time, step.retries_remaining, coalesce(step.trace_id, forecast.trace_id) as trace_id
from weather_forecast_stats as forecast
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
left join error_categories as category
  on category.category = coalesce(step.error_type, forecast.forecast_error_msg ->> 'type');
