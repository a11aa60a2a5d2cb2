import type { ClientBase } from 'pg';
import { Adjustments, cleanJson } from '../../../src/facts/clean-value.ts';
import { scrubText, scrubValue } from '../../../src/semconv/index.ts';
import type { RejectedSpan } from '../batch.ts';
import { column, insertRows } from '../columns.ts';
import { json } from '../sql-values.ts';

/** The span as JSON, with nothing in it that PostgreSQL could refuse or nobody should read. */
function toJson({ span }: RejectedSpan): string | null {
  const { startTimeUnixNano, endTimeUnixNano, events, ...rest } = span;
  const plain = {
    ...rest,
    startTimeUnixNano: startTimeUnixNano.toString(),
    endTimeUnixNano: endTimeUnixNano?.toString() ?? null,
    events: events.map((event) => ({ ...event, timeUnixNano: event.timeUnixNano.toString() })),
  };
  return json(scrubValue(cleanJson(plain, new Adjustments())));
}

const COLUMNS = [
  column<RejectedSpan>('trace_id', 'text', ({ span }) => span.traceId),
  column<RejectedSpan>('span_id', 'text', ({ span }) => span.spanId),
  column<RejectedSpan>('phase', 'text', ({ span }) => span.phase),
  column<RejectedSpan>('reason', 'text', ({ reason }) => reason),
  column<RejectedSpan>('detail', 'text', ({ detail }) => scrubText(detail)),
  column<RejectedSpan>('span', 'jsonb', toJson),
];

/** Keeps spans that break the vocabulary, with the reason, so that nothing is lost by being refused. */
export async function keepRejected(client: ClientBase, rejected: readonly RejectedSpan[]): Promise<void> {
  if (rejected.length === 0) return;
  const inKeyOrder = [...rejected].sort((a, b) => (a.span.spanId < b.span.spanId ? -1 : 1));
  const insert = insertRows('dead_letter_spans', COLUMNS, inKeyOrder, 'do nothing');
  await client.query(insert.text, insert.values);
}
