import type { ClientBase, Pool } from 'pg';
import type { DeadLetterReason } from '#semconv';

/** Filter for dead letters; an omitted member matches all. */
export interface DeadLetterFilter {
  readonly runId?: number;
  readonly reason?: DeadLetterReason;
  readonly spanId?: string;
  /** Those that name this validator. */
  readonly validatorHotkey?: string;
  /** With a validator: those that name none as well. */
  readonly includesUnnamed?: boolean;
}

/** The key of `dead_letter_spans`. */
export interface DeadLetterKey {
  readonly traceId: string;
  readonly spanId: string;
  readonly phase: 'started' | 'ended';
}

/** A row of `dead_letter_spans`. */
export interface DeadLetter extends DeadLetterKey {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly validatorHotkey: string | null;
  readonly runId: number | null;
  readonly instanceId: string | null;
  /** The JSON of the span. */
  readonly span: string;
}

/** Number of dead letters by reason; a reason without any is missing. */
export type DeadLetterCounts = Readonly<Partial<Record<DeadLetterReason, number>>>;

const MATCHES = `($1::bigint is null or run_id = $1) and ($2::text is null or reason = $2)
  and ($3::text is null or span_id = $3)
  and ($4::text is null or validator_hotkey = $4 or ($5 and validator_hotkey is null))`;

const valuesOf = (filter: DeadLetterFilter): unknown[] => [
  filter.runId ?? null,
  filter.reason ?? null,
  filter.spanId ?? null,
  filter.validatorHotkey ?? null,
  filter.includesUnnamed ?? false,
];

/** Keyset pagination: dead letters in key order, those behind `after`. */
export async function readDeadLetters(
  client: ClientBase | Pool,
  filter: DeadLetterFilter,
  { limit, after }: { readonly limit: number; readonly after?: DeadLetterKey },
): Promise<readonly DeadLetter[]> {
  const { rows } = await client.query<DeadLetter>(
    `select trace_id as "traceId", span_id as "spanId", phase, reason, detail, validator_hotkey as "validatorHotkey",
       run_id as "runId", instance_id as "instanceId", span::text as span
     from dead_letter_spans
     where ${MATCHES} and ($6::text is null or (trace_id, span_id, phase) > ($6, $7, $8))
     order by trace_id, span_id, phase limit $9`,
    [...valuesOf(filter), after?.traceId ?? null, after?.spanId ?? null, after?.phase ?? null, limit],
  );
  return rows;
}

/** Number of dead letters of each reason. */
export async function countDeadLetters(
  client: ClientBase | Pool,
  filter: DeadLetterFilter,
): Promise<DeadLetterCounts> {
  const { rows } = await client.query<{ reason: string; letters: number }>(
    `select reason, count(*) as letters from dead_letter_spans where ${MATCHES} group by reason order by reason`,
    valuesOf(filter),
  );
  return Object.fromEntries(rows.map(({ reason, letters }) => [reason, letters]));
}

/** Deletes dead letters without replay and returns their number by reason. */
export async function dropDeadLetters(
  client: ClientBase | Pool,
  filter: DeadLetterFilter,
): Promise<DeadLetterCounts> {
  const { rows } = await client.query<{ reason: string; letters: number }>(
    `with dropped as (delete from dead_letter_spans where ${MATCHES} returning reason)
     select reason, count(*) as letters from dropped group by reason order by reason`,
    valuesOf(filter),
  );
  return Object.fromEntries(rows.map(({ reason, letters }) => [reason, letters]));
}

const KEY_IS = '(trace_id, span_id, phase) = ($1, $2, $3)';
const keyValues = ({ traceId, spanId, phase }: DeadLetterKey): string[] => [traceId, spanId, phase];

/** Deletes one dead letter; false when it no longer exists. */
export async function deleteDeadLetter(client: ClientBase, key: DeadLetterKey): Promise<boolean> {
  const { rowCount } = await client.query(`delete from dead_letter_spans where ${KEY_IS}`, keyValues(key));
  return rowCount === 1;
}

/** Updates the reason of a dead letter that stays. */
export async function updateReason(
  client: ClientBase,
  key: DeadLetterKey,
  { reason, detail }: { readonly reason: DeadLetterReason; readonly detail: string },
): Promise<void> {
  await client.query(`update dead_letter_spans set reason = $4, detail = $5 where ${KEY_IS}`, [
    ...keyValues(key),
    reason,
    detail,
  ]);
}
