import type { ClientBase } from 'pg';
import type { EmitterAccount, RunAccount, SequenceRanges } from '#exporters/emitter-report';
import { column, insertRows } from '../sql/columns.ts';
import { json } from '../sql/sql-values.ts';

/** Text of an `int8multirange`. */
const multirange = (ranges: SequenceRanges): string =>
  `{${ranges.map(([from, to]) => `[${from},${to}]`).join(',')}}`;

/**
 * Whether none of the numbers up to `last` is missing: books over a loss stay open, whoever says that no record follows, and
 * are opened again when a process that was taken for dead reports more numbers than it delivers.
 */
const isWhole = (last: string, received: string, dropped: string): string =>
  `isempty(int8multirange(int8range(1, coalesce(${last}, 0) + 1)) - ${received} - ${dropped})`;

/**
 * Idempotent upsert: sequence numbers are merged as sets (multirange union), so that a redelivered batch changes
 * nothing. Times come from the clock of the database, since they are compared between emitters.
 *
 * Each record brings at most one span that is new to the log. More new spans than new numbers mean that numbers were
 * used twice: by another process with this id, or by one that began again at 1.
 *
 * @param before how many parameters of the statement come before these
 */
const upsertEmitter = (before: number): string => `
  insert into emitters as emitter (validator_id, instance_id, spans, ended_spans, last_sequence, delivered_sequence,
    received, dropped_sequences, heartbeat_at, closed_at, epochs)
  values ($${before + 1}, $${before + 2}, 0, 0, $${before + 3}::bigint, $${before + 4}, $${before + 5}::int8multirange,
    $${before + 6}::int8multirange, case when $${before + 7} then clock_timestamp() end,
    case when $${before + 8} and ${isWhole(`$${before + 3}::bigint`, `$${before + 5}::int8multirange`, `$${before + 6}::int8multirange`)}
      then clock_timestamp() end, array_remove(array[$${before + 9}::text], null))
  on conflict (validator_id, instance_id) do update set
    reused_sequences = emitter.reused_sequences + case when $${before + 10}::bigint > (
        select coalesce(sum(upper(range) - lower(range)), 0) from unnest(excluded.received - emitter.received) as range
      ) then excluded.received * emitter.received else '{}' end,
    epochs = array(select distinct unnest(emitter.epochs || excluded.epochs) order by 1),
    last_sequence = greatest(emitter.last_sequence, excluded.last_sequence),
    delivered_sequence = greatest(emitter.delivered_sequence, excluded.delivered_sequence,
      case when $${before + 8} then emitter.last_sequence end),
    received = emitter.received + excluded.received,
    dropped_sequences = emitter.dropped_sequences + excluded.dropped_sequences,
    heartbeat_at = coalesce(excluded.heartbeat_at, emitter.heartbeat_at),
    closed_at = case when ($${before + 8} or emitter.closed_at is not null) and ${isWhole(
      'greatest(emitter.last_sequence, excluded.last_sequence)',
      '(emitter.received + excluded.received)',
      '(emitter.dropped_sequences + excluded.dropped_sequences)',
    )} then coalesce(emitter.closed_at, clock_timestamp()) end`;

interface Row {
  readonly validatorId: number;
  readonly account: EmitterAccount;
  readonly run: RunAccount;
}

const COLUMNS = [
  column<Row>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<Row>('instance_id', 'text', ({ account }) => account.instanceId),
  column<Row>('run_id', 'bigint', ({ run }) => run.runId),
  column<Row>('started', 'bigint', ({ run }) => run.started),
  column<Row>('spooled', 'bigint', ({ run }) => run.spooled),
  column<Row>('dropped', 'jsonb', ({ run }) => json(run.dropped)),
  column<Row>('last_sequence', 'bigint', ({ account }) => account.lastSequence),
  column<Row>('delivered_sequence', 'bigint', ({ account }) => account.deliveredSequence),
];

/** Last writer wins by sequence: an older account of a run may arrive late, when a batch is redelivered. */
const CONFLICT = `(validator_id, instance_id, run_id) do update set
  started = greatest(book.started, excluded.started), spooled = excluded.spooled, dropped = excluded.dropped,
  last_sequence = excluded.last_sequence, delivered_sequence = excluded.delivered_sequence
  where (excluded.last_sequence, excluded.delivered_sequence) >= (book.last_sequence, book.delivered_sequence)`;

/** What the batch of an account wrote. */
export interface BookedBatch {
  readonly validatorIds: ReadonlyMap<string, number>;
  /** Spans that were new to the log, synthetic ends left out: those of a cut-off spool may repeat numbers. */
  readonly newSpans: number;
}

/** Upserts the account of an emitter into its books, `emitters` and `emitter_runs`, in one statement. */
export async function writeBooks(
  client: ClientBase,
  account: EmitterAccount,
  { validatorIds, newSpans }: BookedBatch,
): Promise<void> {
  const { instanceId, lastSequence, deliveredSequence, received, dropped, isOwn, isClosed, epoch } = account;
  const emitter = [
    validatorIds.get(account.validatorHotkey),
    instanceId,
    lastSequence,
    // No record follows: what has not come by now is missing, no longer on its way.
    isClosed ? lastSequence : deliveredSequence,
    multirange(received),
    multirange(dropped),
    isOwn,
    isClosed,
    epoch ?? null,
    newSpans,
  ];
  const rows = account.runs.flatMap((run): Row[] => {
    const validatorId = validatorIds.get(run.validatorHotkey);
    return validatorId === undefined ? [] : [{ validatorId, account, run }];
  });
  if (rows.length === 0) {
    await client.query(upsertEmitter(0), emitter);
    return;
  }
  const insert = await insertRows('emitter_runs as book', COLUMNS, rows, CONFLICT);
  const text = `with written as (${upsertEmitter(COLUMNS.length)}) ${insert.text}`;
  await client.query(text, [...insert.values, ...emitter]);
}
