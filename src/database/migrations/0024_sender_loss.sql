-- Senders over OTLP need not number their spans. A run of such a sender is never proved complete, and says so.
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
    max(started) as told, sum(recorded) + sum(in_flight) + sum(dead) + sum(lost_ends) as known, sum(spooled) as spooled,
    coalesce(jsonb_agg(dropped) filter (where dropped is not null), '[]') as dropped
  from parts
  group by validator_id, run_id, instance_id
), total as (
  select validator_id, run_id,
    -- Who numbers no records tells no count of its own: what came is what was started. Who tells too few is no process
    -- that lost less than none, and must not hide what another one lost.
    sum(greatest(told, known + spooled + dropped_spans.spans))::bigint as started,
    sum(recorded)::bigint as recorded, sum(in_flight)::bigint as in_flight, sum(spooled)::bigint as spooled,
    sum(dead)::bigint as dead, sum(abandoned)::bigint as abandoned, sum(truncated)::bigint as truncated,
    sum(lost_ends)::bigint as lost_ends, jsonb_agg(dropped) as dropped,
    count(nullif(instance_id, '')) as emitters, array_agg(instance_id) as instances,
    jsonb_object_agg(instance_id, told || ' steps started by its count, ' || known || ' known') filter (where known > told)
      as overcounts
  from counted
  cross join lateral (
    select coalesce(sum(entry.value::bigint), 0) as spans
    from jsonb_array_elements(counted.dropped) as book cross join lateral jsonb_each_text(book) as entry
  ) as dropped_spans
  group by validator_id, run_id
)
select total.validator_id, total.run_id, total.started, total.recorded, total.in_flight, total.spooled, total.dead,
  coalesce(dropped.spans, 0) as dropped, coalesce(dropped.by_reason, '{}') as dropped_by_reason,
  total.started - total.recorded - total.in_flight - total.spooled - total.dead - coalesce(dropped.spans, 0) as unaccounted,
  books.missing as missing_sequences, total.abandoned, total.truncated, total.emitters,
  (select hotkey from validators where id = total.validator_id) as validator_hotkey,
  nullif(coalesce(total.overcounts, '{}') || coalesce(books.conflicts, '{}'), '{}') as emitter_conflicts,
  case when senders.unnumbered > 0
    then 'unknown: ' || senders.unnumbered || ' of the processes do not number their spans (weather.emitter.sequence)'
  end as sender_loss
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
  select jsonb_object_agg(books.instance_id, books.missing::text) filter (where not isempty(books.missing)) as missing,
    jsonb_object_agg(books.instance_id, books.conflict) filter (where books.conflict is not null) as conflicts
  from emitter_books as books
  where books.instance_id = any (total.instances) and (books.validator_id = total.validator_id or not exists (
    select from emitters as own
    where (own.validator_id, own.instance_id) = (total.validator_id, books.instance_id) and own.last_sequence is not null))
) as books on true
cross join lateral (
  select count(*) as unnumbered
  from unnest(total.instances) as instance (id)
  where not exists (
    select from emitters as emitter
    where emitter.instance_id = instance.id
      and emitter.last_sequence is not null)
) as senders;
comment on column run_completeness.sender_loss is
  'What nobody can know: whether a process that does not number its spans sent all of them. Null when every process of the run numbers them; the other columns then prove that none is missing.';
