import type { ObservedSpan } from '#facts/observed-span';
import { malformed } from '../http-error.ts';
import type { Faults } from './faults.ts';
import type { ItemLimit } from './item-limit.ts';

/** Span statuses by their OTLP number. */
export const STATUS_CODES = ['unset', 'ok', 'error'] as const satisfies readonly ObservedSpan['statusCode'][];

/** How a body is decoded. */
export interface DecodeOptions {
  readonly limit?: ItemLimit;
  /** Whether a span is held; others are read and forgotten at once. All are held unless given. */
  readonly isWanted?: (span: ObservedSpan) => boolean;
}

/** The spans of a body, and what of it cannot be read. */
export interface DecodedSpans {
  readonly spans: ObservedSpan[];
  readonly faults: Faults;
}

/** Phase and end of a span. In OTLP no end is 0: the span is running, and another one with its end may follow. */
export const endOf = (nanos: bigint): Pick<ObservedSpan, 'phase' | 'endTimeUnixNano'> =>
  nanos === 0n ? { phase: 'started', endTimeUnixNano: null } : { phase: 'ended', endTimeUnixNano: nanos };

/** Attributes under construction. */
export type Attributes = Record<string, unknown>;

/** Deepest nesting that is read; more than what is recorded of a value. */
export const MAX_DEPTH = 64;

/** @throws HttpError 400 for a value nested so deep that it would overflow the stack */
export function requireDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw malformed(`a value is nested deeper than ${MAX_DEPTH} levels`);
}

/** Sets an attribute; the last one of a key wins. `__proto__` is data too and must not set the prototype. */
export function setAttribute(attributes: Attributes, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    attributes[key] = value;
  }
}

/** An int64 as a number when that is exact, else as a bigint. */
export function toExactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The sampled bit of W3C trace flags, in the lowest byte of OTLP's flags of a span. */
const SAMPLED = 1;

/** A flag that is not set says nothing: senders leave it out (the SDK of Python does), and what they send was sampled. */
export const sampledOf = (flags: number): true | undefined => ((flags & SAMPLED) !== 0 ? true : undefined);
