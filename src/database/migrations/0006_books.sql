-- The books of the emitters: every record of a process that records has a number, so that one that is missing shows.

alter table emitters
  alter column first_seen drop not null,
  alter column last_seen drop not null,
  add column last_sequence bigint,
  add column delivered_sequence bigint,
  add column received int8multirange not null default '{}',
  add column dropped_sequences int8multirange not null default '{}',
  add column heartbeat_at timestamptz,
  add column closed_at timestamptz;
comment on column emitters.last_sequence is 'Number of the newest record that the process made; null when it numbers none.';
comment on column emitters.delivered_sequence is 'All records up to this number have left the process.';
comment on column emitters.received is 'Numbers of the records that came in.';
comment on column emitters.dropped_sequences is 'Numbers of the records that the process could not keep, and said so.';
comment on column emitters.heartbeat_at is 'When the process last said that it lives, by the clock of the database; null when it never does.';
comment on column emitters.closed_at is 'When the process, or who took over its spool, delivered its last record; null before.';

create table emitter_runs (
  validator_id integer not null references validators (id),
  instance_id text not null,
  run_id bigint not null,
  started bigint not null,
  spooled bigint not null,
  dropped jsonb not null,
  last_sequence bigint not null,
  delivered_sequence bigint not null,
  primary key (validator_id, instance_id, run_id)
);
create index emitter_runs_run on emitter_runs (validator_id, run_id);
comment on table emitter_runs is 'What a process says of a run: how many of its steps it started, and where they are.';
comment on column emitter_runs.validator_id is 'Validator.';
comment on column emitter_runs.instance_id is 'service.instance.id of the process.';
comment on column emitter_runs.run_id is 'Run.';
comment on column emitter_runs.started is 'Steps of the run that the process started.';
comment on column emitter_runs.spooled is 'Those of which nothing has left its spool yet.';
comment on column emitter_runs.dropped is 'Those of which nothing could be kept, by reason.';
comment on column emitter_runs.last_sequence is 'Number of the newest record when this was said.';
comment on column emitter_runs.delivered_sequence is 'Number up to which records had left the process when this was said.';

create table closed_spans (
  validator_id integer not null references validators (id),
  trace_id text not null,
  span_id text not null,
  run_id bigint not null,
  started_at timestamptz not null,
  reason text not null,
  closed_at timestamptz not null,
  primary key (validator_id, trace_id, span_id)
);
comment on table closed_spans is 'Steps that were closed because they never told their end. Some did so later: see late_ends.';
comment on column closed_spans.validator_id is 'Validator.';
comment on column closed_spans.trace_id is 'Trace of the step.';
comment on column closed_spans.span_id is 'Span of the step.';
comment on column closed_spans.run_id is 'Run.';
comment on column closed_spans.started_at is 'When the step started.';
comment on column closed_spans.reason is 'weather.closing.reason: why it had to be closed.';
comment on column closed_spans.closed_at is 'Last instant at which its process is known to have lived.';

alter table dead_letter_spans
  add column validator_hotkey text,
  add column run_id bigint,
  add column instance_id text;
create index dead_letter_spans_run on dead_letter_spans (run_id);
comment on column dead_letter_spans.validator_hotkey is 'Validator that the span names; null when that cannot be read.';
comment on column dead_letter_spans.run_id is 'Run that the span names; null when that cannot be read.';
comment on column dead_letter_spans.instance_id is 'service.instance.id of the process that made the span.';

create view late_ends as
select closed.validator_id, closed.run_id, closed.trace_id, closed.span_id, closed.reason, closed.closed_at,
  step.miner_hotkey, step.step_name, step.substep, step.lead_hours, step.attempt, step.status, step.completed_at
from closed_spans as closed
join weather_forecast_steps_finished as step
  on (step.validator_id, step.trace_id, step.span_id, step.started_at)
   = (closed.validator_id, closed.trace_id, closed.span_id, closed.started_at)
where step.facts -> 'closing' is null;
comment on view late_ends is 'Steps that were taken for abandoned and then told their end after all. The end is what counts.';

create view emitter_books as
select validator_id, instance_id, last_sequence, delivered_sequence, last_sequence - delivered_sequence as spooled,
  int8multirange(int8range(1, coalesce(case when closed_at is null then delivered_sequence else last_sequence end, 0) + 1))
    - received - dropped_sequences as missing,
  dropped_sequences as dropped, first_seen, last_seen, heartbeat_at, closed_at
from emitters;
comment on view emitter_books is 'For each process: which of its numbered records came in, are on their way, were dropped, or are missing.';

-- A crash takes a step along with the call inside it, and counts at the step.
create or replace view step_faults as
select step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, category.fault, step.error_type, step.step_name,
  count(*) as failures, min(step.completed_at) as first_at, max(step.completed_at) as last_at
from weather_forecast_steps as step
join error_categories as category on category.category = step.error_type
where case when step.error_type = 'process_crash' then step.step_name <> 'communication'
  else step.step_name = 'communication' or not category.is_transport end
group by step.validator_id, step.run_id, step.miner_uid, step.miner_hotkey, category.fault, step.error_type, step.step_name;

drop view run_completeness;
create view run_completeness as
with logged as (
  select step.validator_id, step.run_id, coalesce(step.instance_id, '') as instance_id,
    count(*) filter (where step.status <> 'in_progress' and step.facts ->> 'closing' is distinct from 'spool_full') as recorded,
    count(*) filter (where step.status = 'in_progress') as running,
    count(*) filter (where step.status = 'abandoned') as abandoned,
    count(*) filter (where step.facts ->> 'closing' = 'spool_full') as lost_ends,
    count(*) filter (where (step.facts ->> 'truncated')::boolean) as truncated
  from weather_forecast_steps as step
  group by step.validator_id, step.run_id, coalesce(step.instance_id, '')
), dead as (
  -- A span may be here with its start and with its end, and its start may run in the log: it is one dead span.
  select validator.id as validator_id, letter.run_id, coalesce(letter.instance_id, '') as instance_id,
    count(distinct (letter.trace_id, letter.span_id)) as dead,
    count(distinct (letter.trace_id, letter.span_id)) filter (where exists (
      select from weather_forecast_steps_running as running
      where (running.validator_id, running.trace_id, running.span_id)
          = (validator.id, letter.trace_id, letter.span_id))) as dead_running
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
), sources as (
  select validator_id, run_id, instance_id from logged
  union select validator_id, run_id, instance_id from dead
  union select validator_id, run_id, instance_id from emitter_runs
), counted as (
  select validator_id, run_id, instance_id, coalesce(recorded, 0) as recorded,
    coalesce(running, 0) - coalesce(dead_running, 0) as in_flight, coalesce(abandoned, 0) as abandoned,
    coalesce(truncated, 0) as truncated, coalesce(dead, 0) as dead, coalesce(lost_ends, 0) as lost_ends,
    books.started, coalesce(books.spooled, 0) as spooled, coalesce(books.dropped, '{}') as dropped
  from sources
  left join logged using (validator_id, run_id, instance_id)
  left join dead using (validator_id, run_id, instance_id)
  left join emitter_runs as books using (validator_id, run_id, instance_id)
), dropped as (
  select validator_id, run_id, jsonb_object_agg(reason, spans) as dropped, sum(spans)::bigint as spans
  from (
    select validator_id, run_id, reason, sum(spans)::bigint as spans
    from (
      select validator_id, run_id, entry.key as reason, entry.value::bigint as spans
      from counted cross join lateral jsonb_each_text(counted.dropped) as entry
      union all
      select validator_id, run_id, 'spool_full', lost_ends from counted where lost_ends > 0
    ) as told
    group by validator_id, run_id, reason
  ) as by_reason
  group by validator_id, run_id
), total as (
  select validator_id, run_id,
    -- Who numbers no records tells no count of its own: what came is what was started.
    sum(coalesce(started, recorded + in_flight + dead + lost_ends))::bigint as started,
    sum(recorded)::bigint as recorded, sum(in_flight)::bigint as in_flight, sum(spooled)::bigint as spooled,
    sum(dead)::bigint as dead, sum(abandoned)::bigint as abandoned, sum(truncated)::bigint as truncated,
    count(nullif(instance_id, '')) as emitters, array_agg(instance_id) as instances
  from counted
  group by validator_id, run_id
)
select total.validator_id, total.run_id, total.started, total.recorded, total.in_flight, total.spooled, total.dead,
  coalesce(dropped.spans, 0) as dropped, coalesce(dropped.dropped, '{}') as dropped_by_reason,
  total.started - total.recorded - total.in_flight - total.spooled - total.dead - coalesce(dropped.spans, 0) as unaccounted,
  missing.sequences as missing_sequences, total.abandoned, total.truncated, total.emitters
from total
left join dropped using (validator_id, run_id)
left join lateral (
  select jsonb_object_agg(books.instance_id, books.missing::text) as sequences
  from emitter_books as books
  where books.validator_id = total.validator_id and books.instance_id = any (total.instances)
    and not isempty(books.missing)
) as missing on true;
comment on view run_completeness is
  'Whether anything of a run is missing: started = recorded + in_flight + spooled + dead + dropped, or unaccounted says by how much not.';

do $$
declare
  passed record;
begin
  for passed in
    select pair.view, shown.attname as name, col_description(pair.source, own.attnum) as meaning
    from (values
      ('late_ends'::regclass, 'weather_forecast_steps'::regclass), ('late_ends', 'closed_spans'),
      ('run_completeness', 'weather_forecast_steps'), ('emitter_books', 'emitters')) as pair (view, source)
    join pg_attribute as shown on shown.attrelid = pair.view and shown.attnum > 0
    join pg_attribute as own on own.attrelid = pair.source and own.attname = shown.attname and own.attnum > 0
  loop
    execute format('comment on column %s.%I is %L', passed.view, passed.name, passed.meaning);
  end loop;
end
$$;
comment on column emitter_books.spooled is 'Records that have not left the process yet.';
comment on column emitter_books.missing is 'Numbers of records that left the process and never came: lost. Empty is right.';
comment on column emitter_books.dropped is 'Numbers of the records that the process could not keep, and said so.';
comment on column run_completeness.started is 'Spans of the run that were started, by the word of the processes that started them.';
comment on column run_completeness.recorded is 'Spans of the run whose end is in the log, abandoned ones included.';
comment on column run_completeness.in_flight is 'Spans of the run that are still running.';
comment on column run_completeness.spooled is 'Spans of the run that wait in the spool of their process, by its word.';
comment on column run_completeness.dead is 'Spans of the run that were refused and are kept in dead_letter_spans.';
comment on column run_completeness.dropped is 'Spans of the run of which the record, or the end, could not be kept.';
comment on column run_completeness.dropped_by_reason is 'The same, by reason.';
comment on column run_completeness.unaccounted is 'What the sum lacks; 0 is right.';
comment on column run_completeness.missing_sequences is 'Numbers of records that are lost, by process; null is right.';
comment on column run_completeness.abandoned is 'Spans of the run that never told their end.';
comment on column run_completeness.truncated is 'Spans of the run that lost attributes or events to the limits of their SDK.';
comment on column run_completeness.emitters is 'Processes that made spans of the run.';
