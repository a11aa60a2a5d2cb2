import type { ClientBase } from 'pg';
import type { ObservedSpan } from '#facts/observed-span';
import { runIdOf } from '#facts/text-values';
import { scrubText } from '#semconv';
import { hideSecretValues } from '#semconv/secret-values';
import type { RejectedSpan } from '../log/batch.ts';
import { column, insertRows, type Column } from '../sql/columns.ts';
import { encodeDeadLetter, encodeStripped, sanitizeText } from './dead-letter-codec.ts';

/** Longer than any valid id, and short enough for the index of the key. */
const MAX_ID_LENGTH = 200;

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? sanitizeText(hideSecretValues(value)) : null;

function validatorOf({ attributes, resource }: ObservedSpan): string | null {
  return textOf(attributes['weather.validator.hotkey']) ?? textOf(resource['weather.validator.hotkey']);
}

const runOf = ({ attributes }: ObservedSpan): number | null => runIdOf(attributes['weather.run.id']);

const WHOLE: readonly Column<RejectedSpan>[] = [
  column('trace_id', 'text', ({ span }) => span.traceId),
  column('span_id', 'text', ({ span }) => span.spanId),
  column('phase', 'text', ({ span }) => span.phase),
  column('reason', 'text', ({ reason }) => reason),
  column('detail', 'text', ({ detail }) => scrubText(sanitizeText(detail))),
  column('validator_hotkey', 'text', ({ span }) => validatorOf(span)),
  column('run_id', 'bigint', ({ span }) => runOf(span)),
  column('instance_id', 'text', ({ span }) => textOf(span.resource['service.instance.id'])),
  column('span', 'jsonb', ({ span }) => encodeDeadLetter(span)),
];

const STRIPPED: readonly Column<RejectedSpan>[] = [
  column('trace_id', 'text', ({ span }) => sanitizeText(span.traceId, MAX_ID_LENGTH)),
  column('span_id', 'text', ({ span }) => sanitizeText(span.spanId, MAX_ID_LENGTH)),
  ...WHOLE.slice(2, 8),
  column('span', 'jsonb', ({ span }) => encodeStripped(span)),
];

/** Dead letter queue: stores spans that cannot be recorded, with the reason, so that a rejected span is not lost. */
export async function insertDeadLetters(
  client: ClientBase,
  rejected: readonly RejectedSpan[],
): Promise<void> {
  if (rejected.length === 0) return;
  const inKeyOrder = [...rejected].sort((a, b) => (a.span.spanId < b.span.spanId ? -1 : 1));
  const insert = await insertRows('dead_letter_spans', WHOLE, inKeyOrder, 'do nothing');
  await client.query(insert.text, insert.values);
}

/**
 * Fallback when the dead letter itself is refused: stores ids, name, reason and owner, which the database always
 * accepts.
 */
export async function insertStrippedDeadLetter(client: ClientBase, rejected: RejectedSpan): Promise<void> {
  const insert = await insertRows('dead_letter_spans', STRIPPED, [rejected], 'do nothing');
  await client.query(insert.text, insert.values);
}
