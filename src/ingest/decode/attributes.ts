import type { ObservedSpan } from '#facts/observed-span';
import { malformed } from '../http-error.ts';

/** Status of a span by its number in OTLP. */
export const STATUS_CODES = ['unset', 'ok', 'error'] as const satisfies readonly ObservedSpan['statusCode'][];

/** Attributes while they are read. */
export type Attributes = Record<string, unknown>;

/** Deepest value in a value that is read; what is recorded of it ends before that. */
export const MAX_DEPTH = 64;

/** @throws Refusal when a value lies too deep, which would use up the stack */
export function requireDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw malformed(`a value is nested deeper than ${MAX_DEPTH} levels`);
}

/** Sets an attribute; of two with the same key the last one holds. Every key is a name of data, `__proto__` too. */
export function setAttribute(attributes: Attributes, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    attributes[key] = value;
  }
}

/** An int64 as a number where that is exact, else as it is. */
export function toExactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
