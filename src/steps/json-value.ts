import { readMessage, readProperty, classOf } from './errors/unknown-error.ts';
import { isError } from '#semconv/message-of';

const MAX_DEPTH = 8;
const MAX_ITEMS = 100;
const MAX_TEXT = 4096;
/** Values visited in one conversion; the rest is left out, which bounds the time for a huge object. */
const MAX_VALUES = 5000;

interface Walk {
  /** The objects on the path to the value, to detect a cycle. */
  readonly ancestors: Set<object>;
  valuesLeft: number;
}

/**
 * Converts any value to one that JSON can hold, in bounded time. NaN, infinities and big integers become text, a date
 * its ISO text (null when invalid), an error its class and message, a map an object, a set an array, bytes their count.
 * Functions, symbols and undefined are left out. Markers stand for a cycle (`[circular]`), for a value that is too deep
 * (`[deep]`) and for one that cannot be read (`[unreadable]`).
 */
export function toJsonValue(value: unknown): unknown {
  return convert(value, { ancestors: new Set(), valuesLeft: MAX_VALUES });
}

function convert(value: unknown, walk: Walk): unknown {
  walk.valuesLeft -= 1;
  if (walk.valuesLeft < 0) return '[left out]';
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT
        ? `${value.slice(0, MAX_TEXT)}… [${value.length - MAX_TEXT} more]`
        : value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : convertObject(value, walk);
    default:
      return undefined;
  }
}

function convertObject(value: object, walk: Walk): unknown {
  if (walk.ancestors.has(value)) return '[circular]';
  if (walk.ancestors.size >= MAX_DEPTH) return '[deep]';
  walk.ancestors.add(value);
  try {
    return convertKind(value, walk);
  } catch {
    return '[unreadable]';
  } finally {
    walk.ancestors.delete(value);
  }
}

function convertKind(value: object, walk: Walk): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (isError(value)) return { type: classOf(value), message: convert(readMessage(value), walk) };
  if (Array.isArray(value)) return convertItems(value, value.length, walk);
  if (value instanceof Map) return convertEntries(value.entries(), walk);
  if (value instanceof Set) return convertItems(value, value.size, walk);
  if (value instanceof ArrayBuffer || value instanceof DataView) return `[${value.byteLength} bytes]`;
  if (ArrayBuffer.isView(value)) return convertView(value, walk);
  const toJson = readProperty(value, 'toJSON');
  if (typeof toJson === 'function') return convert(Reflect.apply(toJson, value, []), walk);
  return convertEntries(readEntries(value), walk);
}

/** Bytes as their count; an array of larger numbers as its first items. */
function convertView(view: ArrayBufferView, walk: Walk): unknown {
  if (view instanceof Uint8Array || view instanceof Uint8ClampedArray) return `[${view.byteLength} bytes]`;
  const numbers = view as unknown as ArrayLike<number | bigint>;
  return convertItems(
    Array.from({ length: Math.min(numbers.length, MAX_ITEMS) }, (_, at) => numbers[at]),
    numbers.length,
    walk,
  );
}

function convertItems(items: Iterable<unknown>, length: number, walk: Walk): unknown[] {
  const converted: unknown[] = [];
  for (const item of items) {
    if (converted.length === MAX_ITEMS) break;
    converted.push(convert(item, walk) ?? null);
  }
  if (length > converted.length) converted.push(`[${length - converted.length} more]`);
  return converted;
}

function convertEntries(entries: Iterable<readonly [unknown, unknown]>, walk: Walk): Record<string, unknown> {
  const converted: [string, unknown][] = [];
  for (const [key, item] of entries) {
    if (walk.valuesLeft <= 0) {
      converted.push(['left_out', true]);
      break;
    }
    const value = convert(item, walk);
    if (value !== undefined) converted.push([typeof key === 'string' ? key : readMessage(key), value]);
  }
  return Object.fromEntries(converted);
}

function* readEntries(value: object): Generator<readonly [string, unknown]> {
  for (const key of Object.keys(value)) yield [key, readOrMark(value, key)];
}

function readOrMark(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key) as unknown;
  } catch {
    return '[unreadable]';
  }
}
