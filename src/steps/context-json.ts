import { scrubValue } from '#semconv';
import { toJsonValue } from './json-value.ts';

/** Largest context of a span, bytes of UTF-8. */
export const MAX_CONTEXT_BYTES = 16 * 1024;
const MARKER = 'truncated_keys';
/** Room for the braces and the marker. */
const RESERVED_BYTES = 256;

/**
 * The context of a step as JSON text: finite, without cycles, scrubbed, and at most 16 KiB. What does not fit is left
 * out from the end, key by key, and `truncated_keys` counts the keys that were removed.
 */
export function toContextJson(context: Readonly<Record<string, unknown>>): string {
  const value = scrubValue(toJsonValue(context));
  const whole = JSON.stringify(value);
  if (byteLength(whole) <= MAX_CONTEXT_BYTES || typeof value !== 'object' || value === null) return whole;
  return JSON.stringify(omitOversized(Object.entries(value)));
}

function omitOversized(entries: readonly [string, unknown][]): Readonly<Record<string, unknown>> {
  let room = MAX_CONTEXT_BYTES - RESERVED_BYTES;
  const kept: [string, unknown][] = [];
  for (const [key, value] of entries) {
    const size = byteLength(JSON.stringify({ [key]: value }));
    if (size > room) continue;
    room -= size;
    kept.push([key, value]);
  }
  return Object.fromEntries([...kept, [MARKER, entries.length - kept.length]]);
}

const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8');
