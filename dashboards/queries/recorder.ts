import { linkedTraceOfRow, ofValidator, SQL_VARIABLES } from '../panels/sql.ts';

/** A set as text, an empty one as "none". */
const orNone = (set: string): string => `coalesce(nullif(${set}::text, '{}'), 'none')`;

export const EMITTERS = `
select book.instance_id, book.heartbeat_at,
  case when book.closed_at is null then extract(epoch from now() - book.heartbeat_at)::double precision end as silent_for,
  book.closed_at, book.conflict,
  case when sender.instance_id is null then ${orNone('book.missing')} else 'unknown' end as missing, ${orNone('book.dropped')} as dropped, book.spooled,
  book.last_sequence, book.delivered_sequence, book.first_seen, book.last_seen
from emitter_books as book
left join unnumbered_senders as sender using (validator_id, instance_id)
where ${ofValidator('book')}
order by (book.conflict is not null) desc, (book.closed_at is null) desc, book.last_seen desc nulls last
limit 200`;

/**
 * Those of the chosen validator, and those that no recorded one can be asked for: without a run, which would be read as
 * a run of the chosen one.
 */
export const DEAD_LETTERS = `
select letter.reason, letter.phase, letter.validator_hotkey, case when owner.id is not null then letter.run_id::text end as run_id,
  letter.detail, letter.instance_id, case when letter.span ->> 'traceSampled' is distinct from 'false' then letter.trace_id end as trace_id, letter.span_id
from dead_letter_spans as letter
left join validators as owner on owner.hotkey = letter.validator_hotkey
where owner.id = ${SQL_VARIABLES.validator} or (owner.id is null and ${SQL_VARIABLES.validator} is not null)
order by letter.reason, letter.run_id desc nulls last, letter.trace_id, letter.span_id
limit 200`;

export const LATE_ENDS = `
select late.run_id::text as run_id, late.miner_hotkey, late.step_name, late.lead_hours, late.attempt, late.reason,
  late.closed_at, late.status, late.completed_at, ${linkedTraceOfRow('late')} as trace_id, late.span_id
from late_ends as late
where ${ofValidator('late')}
order by late.closed_at desc
limit 200`;

export const OPEN_RUNS = `
select progress.run_id::text as run_id, progress.gfs_init_time_utc, progress.status, progress.miners, progress.completed,
  progress.failed, progress.in_flight, progress.waiting, progress.next_event, progress.leads_scored,
  progress.leads_expected, ${linkedTraceOfRow('progress')} as trace_id
from run_progress as progress
where ${ofValidator('progress')} and progress.completion_time is null
order by progress.gfs_init_time_utc desc nulls last, progress.run_id desc
limit 100`;
