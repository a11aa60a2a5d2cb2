import type { ClientBase } from 'pg';
import { closeFact } from '#facts/closing';
import { microsOfIso } from '#facts/instants';
import type { StepFact } from '#facts/step-fact';
import { CLOSING_REASONS, type ClosingReason } from '#semconv';
import { column, insertRows, keyRows } from '../sql/columns.ts';
import { compareEndPrecedence, type EndPrecedence } from './end-precedence.ts';
import { recorded, RUN_KEY, runsOf, type RecordedFact } from './recorded-fact.ts';

const KEY = [
  column<RecordedFact>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<RecordedFact>('trace_id', 'text', ({ fact }) => fact.traceId),
  column<RecordedFact>('span_id', 'text', ({ fact }) => fact.spanId),
];

const COLUMNS = [
  ...KEY,
  column<RecordedFact>('run_id', 'bigint', ({ fact }) => fact.runId),
  column<RecordedFact>('started_at', 'timestamptz', ({ fact }) => fact.startedAt),
  column<RecordedFact>('reason', 'text', ({ fact }) => fact.closing),
  column<RecordedFact>('closed_at', 'timestamptz', ({ fact }) => fact.completedAt),
];

/**
 * Upsert by precedence: of two closings of one step the one with the higher precedence stays, in any order of arrival.
 */
const CONFLICT = `(validator_id, trace_id, span_id) do update set reason = excluded.reason, closed_at = excluded.closed_at
  where (array_position($${COLUMNS.length + 1}::text[], closed.reason), excluded.closed_at)
      > (array_position($${COLUMNS.length + 1}::text[], excluded.reason), closed.closed_at)`;

interface KnownClosing {
  readonly validator_id: number;
  readonly trace_id: string;
  readonly span_id: string;
  readonly reason: ClosingReason;
  readonly closed_at: string;
}

const closingKey = (validatorId: number, traceId: string, spanId: string): string =>
  `${validatorId}/${traceId}/${spanId}`;

/** The closings recorded in the runs of these facts. The table is nearly empty, so reading whole runs is cheap. */
async function readClosings(
  client: ClientBase,
  facts: readonly RecordedFact[],
): Promise<ReadonlyMap<string, EndPrecedence>> {
  const keys = keyRows(RUN_KEY, runsOf(facts));
  const { rows } = await client.query<KnownClosing>(
    `select closed.validator_id, closed.trace_id, closed.span_id, closed.reason,
       to_char(closed.closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as closed_at
     from closed_spans as closed join ${keys.text} using (validator_id, run_id)`,
    keys.values,
  );
  return new Map(
    rows.map((row) => [
      closingKey(row.validator_id, row.trace_id, row.span_id),
      { closing: row.reason, completedAt: microsOfIso(row.closed_at) },
    ]),
  );
}

/** Deletes the log rows of closings and returns their keys; a step whose real end is recorded has none. */
async function removeClosings(
  client: ClientBase,
  facts: readonly RecordedFact[],
): Promise<ReadonlySet<string>> {
  const keys = keyRows(KEY, facts);
  const { rows } = await client.query<KnownClosing>(
    `delete from weather_forecast_steps_finished as finished using ${keys.text}
     where (finished.validator_id, finished.trace_id, finished.span_id) = (key.validator_id, key.trace_id, key.span_id)
       and finished.facts -> 'closing' is not null
     returning finished.validator_id, finished.trace_id, finished.span_id`,
    keys.values,
  );
  return new Set(rows.map((row) => closingKey(row.validator_id, row.trace_id, row.span_id)));
}

/** Restores the closing as the counters saw it: what it added follows from the identity of the step alone. */
const asClosed = ({ validatorId, fact }: RecordedFact): RecordedFact =>
  recorded(validatorId, closeFact({ ...fact, state: {} }, { reason: 'process_crash', at: fact.startedAt }));

const precedenceOf = ({ closing, completedAt, startedAt }: StepFact): EndPrecedence => ({
  closing,
  completedAt: completedAt ?? startedAt,
});

/**
 * Deletes closings (synthetic ends) that lose to one of these ends by `compareEndPrecedence`. The ends themselves are
 * not written here.
 *
 * @returns the replaced closing by the end that replaced it; the caller reverts what that closing counted
 */
export async function replaceClosings(
  client: ClientBase,
  facts: readonly RecordedFact[],
): Promise<ReadonlyMap<RecordedFact, RecordedFact>> {
  if (facts.length === 0) return new Map();
  const known = await readClosings(client, facts);
  if (known.size === 0) return new Map();
  const preferred = facts.filter(({ validatorId, fact }) => {
    const closing = known.get(closingKey(validatorId, fact.traceId, fact.spanId));
    return closing !== undefined && compareEndPrecedence(precedenceOf(fact), closing) > 0;
  });
  const removed = preferred.length === 0 ? new Set<string>() : await removeClosings(client, preferred);
  const replaced = preferred.filter(({ validatorId, fact }) =>
    removed.has(closingKey(validatorId, fact.traceId, fact.spanId)),
  );
  return new Map(replaced.map((end) => [end, asClosed(end)]));
}

/** Upserts closings into `closed_spans`, which keeps them also after a real end has replaced them in the log. */
export async function upsertClosings(client: ClientBase, closings: readonly RecordedFact[]): Promise<void> {
  if (closings.length === 0) return;
  const insert = await insertRows('closed_spans as closed', COLUMNS, closings, CONFLICT);
  await client.query(insert.text, [...insert.values, CLOSING_REASONS]);
}
