import { invalidStore } from './grid-errors.ts';

const MILLIS_PER_UNIT = {
  nanosecond: 1e-6,
  microsecond: 1e-3,
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
} as const;

const SHORT_UNITS: Readonly<Record<string, keyof typeof MILLIS_PER_UNIT>> = {
  ns: 'nanosecond',
  us: 'microsecond',
  ms: 'millisecond',
  s: 'second',
  sec: 'second',
  min: 'minute',
  h: 'hour',
  hr: 'hour',
  d: 'day',
};

const CALENDARS = ['standard', 'gregorian', 'proleptic_gregorian'];

/** Before this year the `standard` calendar is Julian; a `Date` is always Gregorian. */
const FIRST_GREGORIAN_YEAR = 1583;

const UNITS_PATTERN =
  /^\s*([a-z]+)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?\s*(?:Z|UTC|[+-]00:?00)?\s*$/i;

export interface CfTimeEncoding {
  /** Like `hours since 1900-01-01`, in UTC (CF conventions, section 4.4). */
  readonly units: string;
  /** Absent means `standard`. */
  readonly calendar?: string | undefined;
}

/**
 * Turns stored time numbers into instants, rounded to the millisecond.
 *
 * @throws CategorizedError `invalid_response` for units, a calendar or a number that is no instant.
 */
export function decodeCfTimes(values: readonly number[], encoding: CfTimeEncoding): Date[] {
  const { millisPerUnit, originMillis } = parseEncoding(encoding);
  return values.map((value) => {
    const time = new Date(Math.round(originMillis + value * millisPerUnit));
    if (Number.isNaN(time.getTime())) {
      throw invalidStore(`Time value ${String(value)} in "${encoding.units}" is no instant.`);
    }
    return time;
  });
}

function parseEncoding({ units, calendar = 'standard' }: CfTimeEncoding) {
  if (!CALENDARS.includes(calendar)) {
    throw invalidStore(`Calendar "${calendar}" is not supported; allowed: ${CALENDARS.join(', ')}.`);
  }
  const [, unitText = '', ...parts] = UNITS_PATTERN.exec(units) ?? [];
  const millisPerUnit = millisOf(unitText);
  if (millisPerUnit === undefined) {
    throw invalidStore(`Time units "${units}" are not understood; write "hours since 1900-01-01" in UTC.`);
  }
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(0, 6)
    .map((part: string | undefined) => Number(part ?? 0));
  if (calendar !== 'proleptic_gregorian' && year < FIRST_GREGORIAN_YEAR) {
    throw invalidStore(`Time units "${units}" start in the Julian calendar; use a date after 1582.`);
  }
  const origin = new Date(0);
  origin.setUTCFullYear(year, month - 1, day);
  const fraction = Number(`0.${parts[6] ?? '0'}`);
  origin.setUTCHours(hour, minute, second, Math.round(fraction * 1000));
  return { millisPerUnit, originMillis: origin.getTime() };
}

function millisOf(unit: string): number | undefined {
  const lower = unit.toLowerCase();
  const singular = SHORT_UNITS[lower] ?? lower.replace(/s$/, '');
  return Object.hasOwn(MILLIS_PER_UNIT, singular)
    ? MILLIS_PER_UNIT[singular as keyof typeof MILLIS_PER_UNIT]
    : undefined;
}
