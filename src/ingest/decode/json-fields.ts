/**
 * The fields of a message by their names in camel case. JSON of protobuf may have the names of the .proto file instead
 * (`resource_spans`), as some libraries write them. Anything but an object is returned as it is.
 */
export function fieldsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (!entries.some(([name]) => name.includes('_'))) return value;
  return Object.fromEntries(entries.map(([name, field]) => [toCamelCase(name), field]));
}

const toCamelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
