import type { ClientBase } from 'pg';
import { closeFact } from '#facts/closing';
import type { StepFact } from '#facts/step-fact';
import { CLOSING_REASONS } from '#semconv';
import { column, insertRows, keyRows } from '../sql/columns.ts';
import { compareEndPrecedence, type EndPrecedence } from './end-precedence.ts';
import type { KnownRows } from './known-rows.ts';
import { recorded, type RecordedFact } from './recorded-fact.ts';

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

interface SpanKey {
  readonly validator_id: number;
  readonly trace_id: string;
  readonly span_id: string;
}

const closingKey = (validatorId: number, traceId: string, spanId: string): string =>
  `${validatorId}/${traceId}/${spanId}`;

/** Deletes the log rows of closings and returns their keys; a step whose real end is recorded has none. */
async function removeClosings(
  client: ClientBase,
  facts: readonly RecordedFact[],
): Promise<ReadonlySet<string>> {
  const keys = keyRows(KEY, facts);
  const { rows } = await client.query<SpanKey>(
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
 * @param known the closings of their steps
 * @returns the replaced closing by the end that replaced it; the caller reverts what that closing counted
 */
export async function replaceClosings(
  client: ClientBase,
  known: KnownRows['closings'],
): Promise<ReadonlyMap<RecordedFact, RecordedFact>> {
  const preferred = [...known].flatMap(([end, closing]) =>
    compareEndPrecedence(precedenceOf(end.fact), closing) > 0 ? [end] : [],
  );
  if (preferred.length === 0) return new Map();
  const removed = await removeClosings(client, preferred);
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
