import type { z } from 'zod';
import { JSON_TYPE, type AttributeDefinition } from '../semconv/index.ts';
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
  for (const [name, value] of Object.entries(raw)) {
    const definition = Object.hasOwn(table, name) ? table[name] : undefined;
    if (definition === undefined) {
      if (name.startsWith('weather.')) adjustments.add('unknown_attribute');
      continue;
    }
    if (value === undefined) continue;
    const maxLength = definition.type === JSON_TYPE ? MAX_JSON_LENGTH : MAX_TEXT_LENGTH;
    const clean = cleanAttribute(value, adjustments, maxLength);
    if (clean === null || definition.schema.safeParse(clean).success) values[name] = clean;
    else problems.push(problemOf(name, clean, definition));
  }
  return { values: values as AttributeValues<T>, problems };
}
