import type { AdjustmentReason } from './clean-value.ts';

/** What the vocabulary wants where a sender may give a text instead. */
export type WantedValue = 'number' | 'flag' | 'instant';

/** A value that was read from a text, and the reason under which that is counted. */
export interface TextValue {
  readonly value: number | boolean | string;
  readonly reason: AdjustmentReason;
}

/** `np.float32(1.5)`, as numpy 2 writes a number in a list. */
const NUMPY = /^np\.\w{1,20}\((.{1,40})\)$/;
const DECIMAL = /^[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:e[+-]?\d{1,3})?$/i;
const NOT_FINITE: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, infinity: Infinity };
const FLAG = /^(?:np\.)?(true|false)_?$/i;
/** ISO 8601: the basic or the extended form, `T` or a space between date and time, seconds and offset or none. */
const INSTANT =
  /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,12}))?)?\s?(?:(Z|UTC)|([+-]\d\d)(?::?(\d\d))?)?$/i;

/** The number that a decimal text names; undefined for any other text, and for whole numbers that a number cannot hold. */
function numberOf(text: string): number | undefined {
  const bare = NUMPY.exec(text)?.[1] ?? text;
  const [, sign = '', name = ''] = /^([+-]?)([a-z]{3,8})$/i.exec(bare) ?? [];
  const special = NOT_FINITE[name.toLowerCase()];
  if (special !== undefined) return sign === '-' ? -special : special;
  if (!DECIMAL.test(bare)) return undefined;
  const value = Number(bare);
  return /^[+-]?\d+$/.test(bare) && !Number.isSafeInteger(value) ? undefined : value;
}

/** numpy's datetime64 in nanoseconds, the times of xarray: without an offset, and UTC by the custom of the field. */
const DATETIME64 = /T.*\.\d{9}$/;

/** The instant in the form that the vocabulary wants. The calendar is checked by its schema. */
function instantOf(text: string): TextValue | null {
  const parts = INSTANT.exec(text);
  if (parts === null) return null;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', fraction] = parts;
  const [utc, offsetHours, offsetMinutes = '00'] = parts.slice(8);
  const offset = offsetHours === undefined ? 'Z' : `${offsetHours}:${offsetMinutes}`;
  const hasOffset = utc !== undefined || offsetHours !== undefined;
  if (!hasOffset && !DATETIME64.test(text)) return null;
  const value = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}${offset}`;
  return { value, reason: hasOffset ? 'instant_form' : 'instant_without_offset' };
}

/**
 * Reads a text where the vocabulary wants a number, a flag or an instant: senders of other languages write numpy's and
 * pandas' values as texts. An instant without an offset is refused, because its sender may mean local time; only numpy's
 * datetime64 is UTC, and counted apart. Null when the text is no such value.
 */
export function readText(text: string, wanted: WantedValue): TextValue | null {
  const bare = text.trim();
  if (wanted === 'instant') return instantOf(bare);
  if (wanted === 'flag') {
    const [, flag] = FLAG.exec(bare) ?? [];
    return flag === undefined ? null : { value: flag.toLowerCase() === 'true', reason: 'flag_text' };
  }
  const value = numberOf(bare);
  return value === undefined ? null : { value, reason: 'number_text' };
}

/** The id of a run, which may be a text; null when it is none. */
export function runIdOf(value: unknown): number | null {
  const id = typeof value === 'string' ? numberOf(value.trim()) : value;
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
}
