import { Adjustments, cleanText, MAX_JSON_LENGTH } from '#facts/clean-value';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import type { ObservedSpan } from '#facts/observed-span';
import { scrubValue } from '#semconv';

/** One character more than the translation keeps, so that a replay truncates and counts the same texts again. */
const MAX_TEXT_LENGTH = MAX_JSON_LENGTH + 1;
/** The depth to which the translation reads; also terminates circular references. */
const MAX_DEPTH = 16;

/** Text without the characters that PostgreSQL cannot store, truncated to the length that the translation reads. */
export const sanitizeText = (text: string, maxLength = MAX_TEXT_LENGTH): string =>
  cleanText(text, new Adjustments(), maxLength);

function toStorable(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return sanitizeText(value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : toStorableObject(value, depth);
    default:
      return null;
  }
}

function toStorableObject(value: object, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) return Array.from(value, (member) => toStorable(member, depth + 1));
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([key, member]) => [sanitizeText(key), toStorable(member, depth + 1)] as const),
  );
}

/**
 * Encodes a span as JSON that `jsonb` can store, with secrets scrubbed. Apart from those, the decoded span translates
 * as the original does.
 */
export const encodeDeadLetter = (span: ObservedSpan): string =>
  encodeSpan(scrubValue(toStorable(span)) as ObservedSpan);

/** Fallback for a span that the database refuses even as a dead letter: identity only; it cannot be replayed. */
export function encodeStripped({ traceId, spanId, phase, name }: ObservedSpan): string {
  return JSON.stringify(scrubValue(toStorable({ traceId, spanId, phase, name, stripped: true })));
}

/** Decodes the span of a dead letter; null when it was stripped. */
export function decodeDeadLetter(json: string): ObservedSpan | null {
  const span = decodeSpan(json) as Partial<ObservedSpan>;
  const isWhole = typeof span.startTimeUnixNano === 'bigint' && typeof span.attributes === 'object';
  return isWhole ? (span as ObservedSpan) : null;
}
