import type { z } from 'zod';
import { JSON_TYPE, type AttributeDefinition } from '#semconv';
import { KIND_OF_SCHEMA } from '#semconv/attribute-definition';
import { cleanAttribute, MAX_JSON_LENGTH, MAX_TEXT_LENGTH, type Adjustments } from './clean-value.ts';

type Table = Readonly<Record<string, AttributeDefinition>>;

/**
 * The values of a table of attributes: undefined where the span does not name the attribute, null where it does but has
 * no usable number for it.
 */
export type AttributeValues<T extends Table> = {
  readonly [Name in keyof T]?: z.output<T[Name]['schema']> | null | undefined;
};

/** A value that the vocabulary does not allow. The span is refused as a whole, with all that is wrong with it. */
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
  const allowed =
    'options' in definition.schema
      ? (definition.schema.options as readonly string[]).join(', ')
      : definition.type;
  return { attribute: name, message: `${name} is ${describe(value)}; allowed: ${allowed}` };
}

/** How many allowed values of one attribute are remembered; when there are more, all are forgotten. */
const MAX_MEMOIZED = 1000;

/** An attribute of a table, prepared for reading. */
interface Known {
  readonly definition: AttributeDefinition;
  /** The kind of value that is all the schema asks for; null when it asks for more. */
  readonly kind: 'string' | 'number' | 'boolean' | null;
  readonly maxLength: number;
  /** Values that the schema allowed. The same few come again and again, so each is looked at in depth once. */
  readonly allowed: Set<unknown>;
}

/** A table, prepared for reading. */
interface Reading {
  readonly attributes: ReadonlyMap<string, Known>;
  /** A member for each attribute, so that what is read of a span does not grow member by member. */
  readonly blank: Readonly<Record<string, unknown>>;
}

const readings = new WeakMap<Table, Reading>();

function readingOf(table: Table): Reading {
  const known = readings.get(table);
  if (known !== undefined) return known;
  const attributes = Object.entries(table).map(([name, definition]): [string, Known] => [
    name,
    {
      definition,
      kind: KIND_OF_SCHEMA.get(definition.schema) ?? null,
      maxLength: definition.type === JSON_TYPE ? MAX_JSON_LENGTH : MAX_TEXT_LENGTH,
      allowed: new Set(),
    },
  ]);
  const blank = Object.fromEntries(attributes.map(([name]) => [name, undefined]));
  const reading = { attributes: new Map(attributes), blank };
  readings.set(table, reading);
  return reading;
}

function isAllowed({ definition, kind, allowed }: Known, value: Value): boolean {
  if (kind !== null) return typeof value === kind;
  if (!definition.schema.safeParse(value).success) return false;
  if (allowed.size >= MAX_MEMOIZED) allowed.clear();
  allowed.add(value);
  return true;
}

const NO_PROBLEMS: readonly AttributeProblem[] = [];

/**
 * Reads the attributes that `table` knows. A name in the namespace `weather.` that it does not know is counted, so
 * that a misspelling shows; a known name with a value outside its schema is a problem.
 */
export function readAttributes<T extends Table>(
  raw: Readonly<Record<string, unknown>>,
  table: T,
  adjustments: Adjustments,
): { readonly values: AttributeValues<T>; readonly problems: readonly AttributeProblem[] } {
  const { attributes, blank } = readingOf(table);
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
    // A set holds -0 as 0, so that a number is cleaned in any case.
    const clean =
      typeof value === 'string' && known.allowed.has(value)
        ? value
        : cleanAttribute(value, adjustments, known.maxLength);
    if (clean === null || known.allowed.has(clean) || isAllowed(known, clean)) values[name] = clean;
    else (problems ??= []).push(problemOf(name, clean, known.definition));
  }
  return { values: values as AttributeValues<T>, problems: problems ?? NO_PROBLEMS };
}
