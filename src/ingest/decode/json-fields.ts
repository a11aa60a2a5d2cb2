import { malformed } from '../http-error.ts';

/**
 * The fields of a message by their names in camel case. JSON of protobuf may have the names of the .proto file instead
 * (`resource_spans`), as some libraries write them. Anything but an object is returned as it is.
 *
 * @throws HttpError 400 for a field under both names, of which one would be lost
 */
export function fieldsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (!entries.some(([name]) => name.includes('_'))) return value;
  const twice = entries.find(
    ([name]) => toCamelCase(name) !== name && Object.hasOwn(value, toCamelCase(name)),
  );
  if (twice !== undefined)
    throw malformed(`the field ${toCamelCase(twice[0])} is there twice, as ${twice[0].slice(0, 80)} too`);
  return Object.fromEntries(entries.map(([name, field]) => [toCamelCase(name), field]));
}

/** The fields of an item that may be malformed; null when they are. */
export function fieldsOrNull(item: unknown): unknown {
  try {
    return fieldsOf(item);
  } catch {
    return null;
  }
}

const toCamelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
