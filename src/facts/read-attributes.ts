import { z } from 'zod';
import { JSON_TYPE, type AttributeDefinition } from '#semconv';
import { KIND_OF_SCHEMA } from '#semconv/attribute-definition';
import { hideSecrets } from '#semconv/secret-values';
import {
  cleanAttribute,
  cleanNumber,
  MAX_JSON_LENGTH,
  MAX_TEXT_LENGTH,
  type Adjustments,
} from './clean-value.ts';
import { readText, type WantedValue } from './text-values.ts';

type Table = Readonly<Record<string, AttributeDefinition>>;

/**
 * The values of a table of attributes: undefined for an attribute that the span does not have, null for one without a
 * usable number.
 */
export type AttributeValues<T extends Table> = {
  readonly [Name in keyof T]?: z.output<T[Name]['schema']> | null | undefined;
};

/** A value outside the vocabulary. The span is rejected as a whole, with all of its problems. */
export interface AttributeProblem {
  readonly attribute: string;
  readonly message: string;
}

type Value = string | number | boolean;

const describe = (value: Value): string => {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
};

function problemOf(name: string, value: Value, definition: AttributeDefinition): AttributeProblem {
  return { attribute: name, message: `${name} is ${describe(value)}; allowed: ${allowedText(definition)}` };
}

/** The closed set; else the type with its range, and an example where the type does not say enough. */
function allowedText({ schema, type, example }: AttributeDefinition): string {
  if (schema instanceof z.ZodEnum) return schema.options.join(', ');
  if (type === 'int') return `int ${Number.MIN_SAFE_INTEGER}…${Number.MAX_SAFE_INTEGER}`;
  return type.startsWith('string') ? `${type} such as ${example}` : type;
}

/** Most validated values cached per attribute; when full, the cache is cleared. */
const MAX_MEMOIZED = 1000;

/** An attribute of a table, with its precomputed checks. */
interface PreparedAttribute {
  readonly definition: AttributeDefinition;
  /** The type that is all the schema requires, checked without zod; null when the schema requires more. */
  readonly kind: 'string' | 'number' | 'boolean' | null;
  readonly maxLength: number;
  /** What a text is read as when the schema does not take it; null when it wants a text. */
  readonly wanted: WantedValue | null;
  /** Cache of values that passed the schema: the same few recur, and zod is slow. */
  readonly allowed: Set<unknown>;
}

/** A table, with its precomputed checks. */
interface PreparedTable {
  readonly attributes: ReadonlyMap<string, PreparedAttribute>;
  /** Template with all members, so that the result has one hidden class from the start. */
  readonly blank: Readonly<Record<string, unknown>>;
}

const preparedTables = new WeakMap<Table, PreparedTable>();

function prepareTable(table: Table): PreparedTable {
  const known = preparedTables.get(table);
  if (known !== undefined) return known;
  const attributes = Object.entries(table).map(([name, definition]): [string, PreparedAttribute] => [
    name,
    {
      definition,
      kind: KIND_OF_SCHEMA.get(definition.schema) ?? null,
      maxLength: definition.type === JSON_TYPE ? MAX_JSON_LENGTH : MAX_TEXT_LENGTH,
      wanted: WANTED[definition.type.replace(/^int .*$/, 'int')] ?? null,
      allowed: new Set(),
    },
  ]);
  const blank = Object.fromEntries(attributes.map(([name]) => [name, undefined]));
  const prepared = { attributes: new Map(attributes), blank };
  preparedTables.set(table, prepared);
  return prepared;
}

function isAllowed({ definition, kind, allowed }: PreparedAttribute, value: Value): boolean {
  if (kind !== null) return typeof value === kind;
  if (!definition.schema.safeParse(value).success) return false;
  if (allowed.size >= MAX_MEMOIZED) allowed.clear();
  allowed.add(value);
  return true;
}

/** By the type of the definition, without its range. */
const WANTED: Readonly<Record<string, WantedValue>> = {
  int: 'number',
  double: 'number',
  boolean: 'flag',
  'string (ISO 8601)': 'instant',
};

/**
 * The value that a text stands for, when the attribute takes that; undefined when it does not. A number that is not finite
 * is null, as it is elsewhere.
 */
function fromText(
  known: PreparedAttribute,
  value: Value,
  adjustments: Adjustments,
): Value | null | undefined {
  if (known.wanted === null || typeof value !== 'string') return undefined;
  const read = readText(value, known.wanted);
  if (read === null) return undefined;
  const isFinite = typeof read.value !== 'number' || Number.isFinite(read.value);
  if (isFinite && !isAllowed(known, read.value)) return undefined;
  adjustments.add(read.reason);
  return typeof read.value === 'number' ? cleanNumber(read.value, adjustments) : read.value;
}

const NO_PROBLEMS: readonly AttributeProblem[] = [];

/**
 * Reads and validates the attributes of `table`, without secrets; they are hidden before a text is cut. An unknown name in the namespace `weather.` is counted, so that a
 * misspelling shows; a known name with a value outside its schema is a problem. A text that names a number, a flag or an
 * instant is that, and counted.
 */
export function readAttributes<T extends Table>(
  raw: Readonly<Record<string, unknown>>,
  table: T,
  adjustments: Adjustments,
): { readonly values: AttributeValues<T>; readonly problems: readonly AttributeProblem[] } {
  const { attributes, blank } = prepareTable(table);
  const values: Record<string, unknown> = { ...blank };
  let problems: AttributeProblem[] | null = null;
  for (const name of Object.keys(raw)) {
    const known = attributes.get(name);
    if (known === undefined) {
      if (name.startsWith('weather.')) adjustments.add('unknown_attribute');
      continue;
    }
    const value = raw[name];
    if (value === undefined) continue;
    // Only texts skip the cleaning: a Set treats -0 as 0.
    const clean =
      typeof value === 'string' && known.allowed.has(value)
        ? value
        : cleanAttribute(hideSecrets(value), adjustments, known.maxLength);
    if (clean === null || known.allowed.has(clean) || isAllowed(known, clean)) {
      values[name] = clean;
      continue;
    }
    const read = fromText(known, clean, adjustments);
    if (read === undefined) (problems ??= []).push(problemOf(name, clean, known.definition));
    else values[name] = read;
  }
  return { values: values as AttributeValues<T>, problems: problems ?? NO_PROBLEMS };
}
