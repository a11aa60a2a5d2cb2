-- What people and panels read. Each view answers one question of an operator.

create table error_categories (
  category text primary key,
  fault text not null check (fault in ('miner', 'upstream', 'validator')),
  is_transport boolean not null default false
);
comment on table error_categories is 'The closed set of error categories, and who has to act on each.';
comment on column error_categories.category is 'Value of error.type. Written by: migrations.';
comment on column error_categories.fault is 'Who is at fault: miner, upstream data, or the validator itself. Written by: migrations.';
comment on column error_categories.is_transport is
  'Whether the call to a miner already counts it, so that the step around the call must not. Written by: migrations.';
insert into error_categories (category, fault) values
  ('timeout', 'miner'), ('connection', 'miner'), ('handshake', 'miner'), ('http_4xx', 'miner'), ('http_5xx', 'miner'),
  ('rejected_identity', 'miner'), ('invalid_response', 'miner'), ('not_found', 'miner'),
  ('verification_manifest', 'miner'), ('verification_signature', 'miner'), ('verification_hash_changed', 'miner'),
  ('verification_freeze_window', 'miner'), ('verification_chunk', 'miner'), ('data_missing_variable', 'miner'),
  ('data_coverage', 'miner'), ('data_extreme', 'miner'), ('miner_inference', 'miner'),
  ('rate_limited_upstream', 'upstream'), ('truth_not_ready', 'upstream'), ('truth_missing', 'upstream'),
  ('out_of_memory', 'validator'), ('lock_busy', 'validator'), ('isolation_violation', 'validator'),
  ('process_crash', 'validator'), ('validator_internal', 'validator'), ('unknown', 'validator');
update error_categories set is_transport = true where category in
  ('timeout', 'connection', 'handshake', 'http_4xx', 'http_5xx', 'not_found', 'invalid_response', 'rate_limited_upstream');

-- The newest attempt of each step of each miner (of each lead, for ERA5), with the time of the first.
create view newest_attempts as
select distinct on (validator_id, run_id, miner_hotkey, step_name, lead_hours)
  validator_id, run_id, miner_uid, miner_hotkey, step_name, substep, lead_hours, attempt, max_attempts, status,
  min(started_at) over (partition by validator_id, run_id, miner_hotkey, step_name, lead_hours) as first_started_at,
  started_at, completed_at, retries_remaining, next_retry_time, error_type, error_json ->> 'message' as error_message,
  trace_id, span_id
from weather_forecast_steps
where step_name in ('seed', 'query', 'poll', 'verify', 'day1', 'era5', 'aggregate')
order by validator_id, run_id, miner_hotkey, step_name, lead_hours,
  coalesce(completed_at, started_at) desc, (completed_at is not null) desc, attempt desc, span_id desc;
comment on view newest_attempts is 'How the newest attempt of each step of each miner stands, and when the first began.';

create view stuck_steps as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, step.step_name, step.substep,
  step.lead_hours, step.attempt, step.status, step.first_started_at as since,
  step.next_retry_time as waits_until, step.retries_remaining, step.error_type, step.error_message, step.trace_id
from newest_attempts as step
join weather_forecast_runs as run on (run.validator_id, run.id) = (step.validator_id, step.run_id)
left join weather_forecast_stats as forecast on
  (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
    = (step.validator_id, step.run_id, step.miner_hotkey)
where step.status in ('in_progress', 'retry_scheduled', 'waiting_for_truth', 'abandoned')
  and run.completion_time is null
  and coalesce(forecast.forecast_status, 'pending') not in ('completed', 'failed');
comment on view stuck_steps is
  'Which miners of a run are held up, in which step, since when, and until when they will wait. Empty for a run that ended.';

create view scheduled_retries as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, step.step_name, step.lead_hours,
  step.attempt as attempts_made, step.max_attempts, step.retries_remaining, step.next_retry_time,
  step.status = 'waiting_for_truth' as waits_for_truth, step.error_type, step.error_message, step.trace_id
from newest_attempts as step
join weather_forecast_runs as run on (run.validator_id, run.id) = (step.validator_id, step.run_id)
where step.next_retry_time is not null and step.status in ('retry_scheduled', 'waiting_for_truth')
  and run.completion_time is null;
comment on view scheduled_retries is 'Which steps will be tried again, when, and how many retries are left then.';

create view missing_scores as
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
left join lateral (
  select array_agg(distinct step.lead_hours) as hours from weather_forecast_steps as step
  where (step.validator_id, step.run_id) = (forecast.validator_id, forecast.run_id)
    and step.step_name = 'era5' and step.lead_hours is not null
) as run_leads on true
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
comment on view missing_scores is
  'Why a miner has no score for a lead: the newest attempt at that lead, or else the error that ended the forecast.';

create view step_faults as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, category.fault, step.error_type, step.step_name,
  count(*) as failures, min(step.completed_at) as first_at, max(step.completed_at) as last_at
from weather_forecast_steps as step
join error_categories as category on category.category = step.error_type
where step.step_name = 'communication' or not category.is_transport
group by step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, category.fault, step.error_type, step.step_name;
comment on view step_faults is
  'Who is at fault for the failures of a run: a miner, upstream data, or the validator. Each failure counts once, where it happened.';

create view repeated_scores as
select validator_id, run_id, miner_uid, miner_hotkey, step_name as score_type, lead_hours,
  count(*) as times_scored, array_agg(span_id order by completed_at, span_id) as span_ids
from weather_forecast_steps
where step_name in ('day1', 'era5') and status = 'succeeded'
group by validator_id, run_id, miner_uid, miner_hotkey, step_name, lead_hours
having count(*) > 1;
comment on view repeated_scores is 'Leads that were scored more than once. The newest scoring is the one in the tables.';

create view run_completeness as
select validator_id, run_id, count(*) as started, count(*) filter (where status <> 'in_progress') as recorded,
  count(*) filter (where status = 'in_progress') as in_flight,
  count(*) filter (where status = 'abandoned') as abandoned,
  count(*) filter (where (facts ->> 'truncated')::boolean) as truncated,
  count(distinct instance_id) as emitters
from weather_forecast_steps
group by validator_id, run_id;
comment on view run_completeness is 'How many spans of a run were started, recorded, are in flight, or lost a part on the way.';

create view run_progress as
select run.validator_id, run.id as run_id, run.gfs_init_time_utc, run.status, run.error_message,
  count(forecast.miner_hotkey) as miners,
  count(*) filter (where forecast.forecast_status = 'completed') as completed,
  count(*) filter (where forecast.forecast_status = 'failed') as failed,
  count(*) filter (where forecast.forecast_status not in ('completed', 'failed')) as in_flight,
  count(*) filter (where forecast.next_scheduled_retry is not null) as waiting,
  min(forecast.next_scheduled_retry) as next_event,
  coalesce(sum(forecast.era5_scored_leads), 0) as leads_scored,
  coalesce(sum(forecast.era5_expected_leads), 0) as leads_expected,
  run.run_initiation_time, run.completion_time, run.trace_id
from weather_forecast_runs as run
left join weather_forecast_stats as forecast
  on (forecast.validator_id, forecast.run_id) = (run.validator_id, run.id)
group by run.validator_id, run.id;
comment on view run_progress is 'How far each run is: miners by outcome, leads scored of leads expected, and the next thing to happen.';

create view miner_leaderboard as
select validator_id, run_id, miner_rank, miner_uid, miner_hotkey, overall_forecast_score, era5_combined_score,
  forecast_score_initial, era5_completeness, avg_acc, avg_skill_score, forecast_status, current_forecast_stage,
  last_error_message, trace_id
from weather_forecast_stats
order by validator_id, run_id, miner_rank nulls last, miner_uid;
comment on view miner_leaderboard is 'The miners of each run, best first.';

create view forecast_timeline as
select validator_id, run_id, miner_uid, miner_hotkey, started_at, completed_at, step_name, substep, lead_hours, attempt,
  max_attempts, status, latency_ms, error_type, error_json ->> 'message' as error_message, next_retry_time,
  context, trace_id, span_id, parent_span_id
from weather_forecast_steps
order by validator_id, run_id, miner_hotkey, started_at, span_id;
comment on view forecast_timeline is 'Everything that happened to a forecast, attempt by attempt, in the order of time.';

create view current_miner_stats as
select distinct on (validator_id, miner_uid) *
from miner_stats
where miner_uid is not null
order by validator_id, miner_uid, updated_at desc, miner_hotkey;
comment on view current_miner_stats is 'The statistics of the miner that holds each slot now; earlier holders keep theirs in miner_stats.';
