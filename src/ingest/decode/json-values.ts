import { z } from 'zod';
import { requireDepth, setAttribute, toExactNumber, type Attributes } from './attributes.ts';
import type { CountItem } from './item-limit.ts';
import { fieldsOf } from './json-fields.ts';
import { malformed } from '../http-error.ts';

/** Numbers that JSON cannot hold, as protobuf's JSON writes them. */
const SPECIAL_NUMBERS = { NaN, Infinity, '-Infinity': -Infinity };

/** 64 bits with sign as text. The SDK of JavaScript writes every whole number so, as a number: 1e300 is read as it came. */
const int64 = z.union([
  z
    .string()
    .regex(/^-?\d{1,19}$/)
    .transform(BigInt)
    .refine((value) => BigInt.asIntN(64, value) === value)
    .transform(toExactNumber),
  z.number().refine(Number.isInteger),
]);
/** Some senders write NaN and the infinities as null, as `JSON.stringify` does. */
const double = z.union([
  z.number(),
  // Protobuf's JSON may write a number as text.
  z
    .string()
    .regex(/^-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?$/)
    .transform(Number),
  z.enum(['NaN', 'Infinity', '-Infinity']).transform((name) => SPECIAL_NUMBERS[name]),
  z.null().transform(() => NaN),
]);
/** Base64 in the standard or the URL-safe alphabet. */
const base64 = z
  .string()
  .regex(/^[\w+/-]*={0,2}$/)
  .transform((text) => Buffer.from(text, 'base64').toString('base64'));
const members = z.array(z.unknown()).nullish();

/** One level of an AnyValue; nested values are parsed level by level, so that no depth can overflow the stack. */
const anyValue = z.object({
  stringValue: z.string().nullish(),
  boolValue: z.boolean().nullish(),
  intValue: int64.nullish(),
  doubleValue: double.optional(),
  arrayValue: z.object({ values: members }).nullish(),
  kvlistValue: z.object({ values: members }).nullish(),
  bytesValue: base64.nullish(),
});
const keyValue = z.object({ key: z.string(), value: z.unknown().optional() });

/** Reads a list of KeyValues as attributes. @throws HttpError 400 for a malformed one */
export function readJsonAttributes(list: readonly unknown[], count: CountItem, depth = 0): Attributes {
  const attributes: Attributes = {};
  for (const member of list) {
    count();
    const parsed = keyValue.safeParse(member);
    if (!parsed.success) throw malformed('an attribute is no {"key": text, "value": {…}}');
    const { key, value } = parsed.data;
    setAttribute(attributes, key, readJsonValue(key, value, { count, depth }));
  }
  return attributes;
}

/** What a value is that OTLP does not have, cut to a length that a person reads. */
function describeValue(key: string, value: unknown): string {
  const got = JSON.stringify(value).slice(0, 80);
  return (
    `the value of the attribute ${JSON.stringify(key.slice(0, 80))} is none of OTLP: ${got}; allowed: stringValue, ` +
    'boolValue, intValue of 64 bits, doubleValue, arrayValue, kvlistValue or bytesValue in base64'
  );
}

/** An AnyValue: text, flag, number, list or object; bytes as base64 text, an absent value as null. */
function readJsonValue(
  key: string,
  value: unknown,
  { count, depth }: { readonly count: CountItem; readonly depth: number },
): unknown {
  requireDepth(depth);
  const parsed = anyValue.safeParse(fieldsOf(value ?? {}));
  if (!parsed.success) throw malformed(describeValue(key, value));
  const { arrayValue, kvlistValue, stringValue, boolValue, intValue, doubleValue, bytesValue } = parsed.data;
  if (arrayValue != null) {
    return (arrayValue.values ?? []).map((member) => {
      count();
      return readJsonValue(key, member, { count, depth: depth + 1 });
    });
  }
  if (kvlistValue != null) return readJsonAttributes(kvlistValue.values ?? [], count, depth + 1);
  return stringValue ?? boolValue ?? intValue ?? doubleValue ?? bytesValue ?? null;
}
