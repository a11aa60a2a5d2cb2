import { z } from 'zod';

/** Cardinality of an attribute; one that is `high` never becomes a metric label. */
export type Cardinality = 'closed' | 'low' | 'high';

/** Definition of an attribute, read by the reference page and by the translation. */
export interface AttributeDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly type: string;
  readonly unit: string;
  readonly brief: string;
  readonly example: string;
  readonly cardinality: Cardinality;
  readonly schema: Schema;
}

type AttributeText = readonly [unit: string, example: string, brief: string, cardinality?: Cardinality];

const define =
  <Schema extends z.ZodType>(type: string, schema: Schema, usual: Cardinality) =>
  (...[unit, example, brief, cardinality]: AttributeText): AttributeDefinition<Schema> => ({
    type,
    unit,
    brief,
    example,
    cardinality: cardinality ?? usual,
    schema,
  });

const ANY_TEXT = z.string();
const ANY_NUMBER = z.number().or(z.nan());
const ANY_FLAG = z.boolean();

/** The schemas that are plain type checks, so that the translation can skip zod for them. */
export const KIND_OF_SCHEMA: ReadonlyMap<z.ZodType, 'string' | 'number' | 'boolean'> = new Map<
  z.ZodType,
  'string' | 'number' | 'boolean'
>([
  [ANY_TEXT, 'string'],
  [ANY_NUMBER, 'number'],
  [ANY_FLAG, 'boolean'],
]);

/** Free text; the translation cuts what is too long, and counts it. */
export const text = define('string', ANY_TEXT, 'high');
/** A whole number. */
export const integer = define('int', z.number().int(), 'high');
/** A finite number; NaN and infinities become null in the translation, and are counted. */
export const double = define('double', ANY_NUMBER, 'high');
export const flag = define('boolean', ANY_FLAG, 'closed');
/** An instant as ISO 8601 text with an offset. */
export const instant = define('string (ISO 8601)', z.iso.datetime({ offset: true }), 'high');
/** The `type` of JSON text. */
export const JSON_TYPE = 'string (JSON)';
/** JSON text, for structured values: span attributes are flat. */
export const json = define(JSON_TYPE, ANY_TEXT, 'high');

/** One of a closed set. */
export function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
  ...[unit, example, brief]: AttributeText
): AttributeDefinition<z.ZodEnum<{ [Value in Values[number]]: Value }>> {
  return define('enum', z.enum(values), 'closed')(unit, example, brief);
}

/** A whole number of a range, both ends included. */
export function integerWithin(
  range: { readonly from: number; readonly to: number },
  ...[unit, example, brief, cardinality]: AttributeText
): AttributeDefinition<z.ZodNumber> {
  const schema = z.number().int().min(range.from).max(range.to);
  return define(`int ${range.from}…${range.to}`, schema, 'low')(unit, example, brief, cardinality);
}
