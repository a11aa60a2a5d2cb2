import { Adjustments, cleanText, MAX_JSON_LENGTH } from '#facts/clean-value';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import type { ObservedSpan } from '#facts/observed-span';
import { scrubValue } from '#semconv';

/** One more than any text that the translation keeps: what it would have cut, it cuts and counts again. */
const MAX_TEXT_LENGTH = MAX_JSON_LENGTH + 1;
/** As deep as the translation looks; it also ends a circle. */
const MAX_DEPTH = 16;

/** Text of a letter: without what PostgreSQL cannot hold, and not longer than what is looked at. */
export const sanitizeText = (text: string, maxLength = MAX_TEXT_LENGTH): string =>
  cleanText(text, new Adjustments(), maxLength);

function keepable(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return sanitizeText(value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : keepableObject(value, depth);
    default:
      return null;
  }
}

function keepableObject(value: object, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) return Array.from(value, (member) => keepable(member, depth + 1));
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([key, member]) => [sanitizeText(key), keepable(member, depth + 1)] as const),
  );
}

/**
 * The span as JSON that `jsonb` can hold, with nothing in it that nobody should read. The translation of what comes out
 * again is that of the span, but for secrets.
 */
export const encodeDeadLetter = (span: ObservedSpan): string =>
  encodeSpan(scrubValue(keepable(span)) as ObservedSpan);

/** What is left of a span of which the database takes no more; it cannot be replayed. */
export function encodeStripped({ traceId, spanId, phase, name }: ObservedSpan): string {
  return JSON.stringify(scrubValue(keepable({ traceId, spanId, phase, name, stripped: true })));
}

/** The span of a letter; null when it was stripped. */
export function decodeDeadLetter(json: string): ObservedSpan | null {
  const span = decodeSpan(json) as Partial<ObservedSpan>;
  const isWhole = typeof span.startTimeUnixNano === 'bigint' && typeof span.attributes === 'object';
  return isWhole ? (span as ObservedSpan) : null;
}
