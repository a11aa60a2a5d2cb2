import type { ObservedSpan } from './observed-span.ts';

/** Numbers that JSON cannot hold, by the names under which they are kept. */
const ODD_NUMBERS: readonly (readonly [name: string, value: number])[] = [
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
];
const ODD = '$number';
const BIG = '$bigint';
/** An object of the span itself that has one of these names, as a list of its members. */
const OBJECT = '$object';

/**
 * The JSON of a span, with what JSON alone would change: nanoseconds, and numbers that are not finite, which the
 * translation must still see to count them.
 */
export function encodeSpan(span: ObservedSpan): string {
  return JSON.stringify(span, keepOdd);
}

/** The span that `encodeSpan` was given. */
export function decodeSpan(json: string): ObservedSpan {
  return decodeValue(json) as ObservedSpan;
}

/** The same of one value; undefined for what JSON leaves out. @throws TypeError when it is its own member */
export function encodeValue(value: unknown): string | undefined {
  return JSON.stringify(value, keepOdd);
}

/** The value that `encodeValue` was given. */
export function decodeValue(json: string): unknown {
  return JSON.parse(json, restoreOdd);
}

function keepOdd(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { [BIG]: value.toString() };
  if (isMistakable(value)) return { [OBJECT]: Object.entries(value) };
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { [ODD]: ODD_NUMBERS.find(([, odd]) => Object.is(odd, value))?.[0] };
}

function restoreOdd(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (BIG in value && typeof value[BIG] === 'string') return BigInt(value[BIG]);
  if (OBJECT in value) return Object.fromEntries(value[OBJECT] as [string, unknown][]);
  if (ODD in value) return ODD_NUMBERS.find(([name]) => name === value[ODD])?.[1] ?? null;
  return value;
}

/** Whether a member of the span looks like what only `encodeSpan` writes. */
function isMistakable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && [ODD, BIG, OBJECT].some((name) => name in value);
}
