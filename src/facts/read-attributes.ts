import type { z } from 'zod';
import { JSON_TYPE, KIND_OF_SCHEMA, type AttributeDefinition } from '../semconv/index.ts';
import { cleanAttribute, MAX_JSON_LENGTH, MAX_TEXT_LENGTH, type Adjustments } from './clean-value.ts';

type Table = Readonly<Record<string, AttributeDefinition>>;

/** The values of a table of attributes; null where the span names the attribute but has no usable number for it. */
export type AttributeValues<T extends Table> = {
  readonly [Name in keyof T]?: z.output<T[Name]['schema']> | null;
};

/** A value that the vocabulary does not allow. The span is refused as a whole, with all that is wrong with it. */
export interface AttributeProblem {
  readonly attribute: string;
  readonly message: string;
}

const describe = (value: string | number | boolean): string => {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
};

function problemOf(
  name: string,
  value: string | number | boolean,
  definition: AttributeDefinition,
): AttributeProblem {
  const allowed =
    'options' in definition.schema
      ? (definition.schema.options as readonly string[]).join(', ')
      : definition.type;
  return { attribute: name, message: `${name} is ${describe(value)}; allowed: ${allowed}` };
}

/** How many allowed values of one attribute are remembered. */
const REMEMBERED = 1000;
const allowedBefore = new WeakMap<AttributeDefinition, Set<string | number | boolean>>();

/** Whether the schema allows a value. The same few come again and again, so each is looked at in depth once. */
function isAllowed(definition: AttributeDefinition, value: string | number | boolean): boolean {
  const kind = KIND_OF_SCHEMA.get(definition.schema);
  if (kind !== undefined) return typeof value === kind;
  const known = allowedBefore.get(definition) ?? new Set();
  if (known.has(value)) return true;
  if (!definition.schema.safeParse(value).success) return false;
  if (known.size < REMEMBERED) allowedBefore.set(definition, known.add(value));
  return true;
}

/**
 * Reads the attributes that `table` knows. A name in the namespace `weather.` that it does not know is counted, so
 * that a misspelling shows; a known name with a value outside its schema is a problem.
 */
export function readAttributes<T extends Table>(
  raw: Readonly<Record<string, unknown>>,
  table: T,
  adjustments: Adjustments,
): { readonly values: AttributeValues<T>; readonly problems: readonly AttributeProblem[] } {
  const values: Record<string, unknown> = {};
  const problems: AttributeProblem[] = [];
  for (const name of Object.keys(raw)) {
    const value = raw[name];
    const definition = Object.hasOwn(table, name) ? table[name] : undefined;
    if (definition === undefined) {
      if (name.startsWith('weather.')) adjustments.add('unknown_attribute');
      continue;
    }
    if (value === undefined) continue;
    const maxLength = definition.type === JSON_TYPE ? MAX_JSON_LENGTH : MAX_TEXT_LENGTH;
    const clean = cleanAttribute(value, adjustments, maxLength);
    if (clean === null || isAllowed(definition, clean)) values[name] = clean;
    else problems.push(problemOf(name, clean, definition));
  }
  return { values: values as AttributeValues<T>, problems };
}
