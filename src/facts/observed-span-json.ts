import type { ObservedSpan } from './observed-span.ts';

/** Numbers that JSON cannot hold, by the names under which they are kept. */
const SPECIAL_NUMBERS: readonly (readonly [name: string, value: number])[] = [
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
];
const NUMBER_TAG = '$number';
const BIGINT_TAG = '$bigint';
/** Escape: an object of the span that itself has a tag as a key, stored as a list of its entries. */
const OBJECT_TAG = '$object';

/**
 * Lossless JSON codec of spans: bigints and numbers that are not finite are tagged, since the translation must still
 * see the latter to count them.
 */
export function encodeSpan(span: ObservedSpan): string {
  return JSON.stringify(span, tagSpecial);
}

/** Inverse of `encodeSpan`. */
export function decodeSpan(json: string): ObservedSpan {
  return decodeValue(json) as ObservedSpan;
}

/** `encodeSpan` for one value; undefined for what JSON leaves out. @throws TypeError for a cycle */
export function encodeValue(value: unknown): string | undefined {
  return JSON.stringify(value, tagSpecial);
}

/** Inverse of `encodeValue`. */
export function decodeValue(json: string): unknown {
  return JSON.parse(json, untagSpecial);
}

function tagSpecial(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { [BIGINT_TAG]: value.toString() };
  if (collidesWithTag(value)) return { [OBJECT_TAG]: Object.entries(value) };
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { [NUMBER_TAG]: SPECIAL_NUMBERS.find(([, special]) => Object.is(special, value))?.[0] };
}

function untagSpecial(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (BIGINT_TAG in value && typeof value[BIGINT_TAG] === 'string') return BigInt(value[BIGINT_TAG]);
  if (OBJECT_TAG in value) return Object.fromEntries(value[OBJECT_TAG] as [string, unknown][]);
  if (NUMBER_TAG in value) return SPECIAL_NUMBERS.find(([name]) => name === value[NUMBER_TAG])?.[1] ?? null;
  return value;
}

/** Whether a value of the span could be mistaken for a tagged one. */
function collidesWithTag(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    [NUMBER_TAG, BIGINT_TAG, OBJECT_TAG].some((name) => name in value)
  );
}
