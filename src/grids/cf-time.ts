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

/** Abbreviations of UDUNITS and cftime; each also in the plural. */
const SHORT_UNITS: Readonly<Record<string, keyof typeof MILLIS_PER_UNIT>> = {
  ns: 'nanosecond',
  nanosec: 'nanosecond',
  us: 'microsecond',
  microsec: 'microsecond',
  ms: 'millisecond',
  msec: 'millisecond',
  millisec: 'millisecond',
  s: 'second',
  sec: 'second',
  min: 'minute',
  h: 'hour',
  hr: 'hour',
  d: 'day',
};

/** Calendars whose dates are those of the weather. */
export const CALENDARS = ['standard', 'gregorian', 'proleptic_gregorian'];

/** Before this year the `standard` calendar is Julian; a `Date` is always Gregorian. */
const FIRST_GREGORIAN_YEAR = 1583;

/** Date, time of day and time zone as UDUNITS and cftime read them: leading zeros and all that is zero may be absent. */
const UNITS_PATTERN = new RegExp(
  [
    /^\s*(?<unit>[a-z]+)\s+since\s+(?<year>\d{1,4})-(?<month>\d{1,2})-(?<day>\d{1,2})/,
    /(?:[T\s]+(?<hour>\d{1,2})(?::(?<minute>\d{1,2})(?::(?<second>\d{1,2})(?:\.(?<fraction>\d*))?)?)?)?/,
    /\s*(?:Z|UTC|GMT|(?<sign>[+-])(?<zoneHour>\d{1,2})(?::?(?<zoneMinute>\d{2}))?)?\s*$/,
  ]
    .map(({ source }) => source)
    .join(''),
  'i',
);

/** The largest allowed value of each part of the origin. */
const LARGEST = {
  month: 12,
  day: 31,
  hour: 23,
  minute: 59,
  second: 59,
  zoneHour: 14,
  zoneMinute: 59,
} as const;

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
  if (!CALENDARS.includes(calendar.toLowerCase())) {
    throw invalidStore(`Calendar "${calendar}" is not supported; allowed: ${CALENDARS.join(', ')}.`);
  }
  const parts = UNITS_PATTERN.exec(units)?.groups ?? {};
  const millisPerUnit = millisOfUnit(parts['unit'] ?? '');
  if (millisPerUnit === undefined || !isInRange(parts)) {
    throw invalidStore(`Time units "${units}" are not understood; write "hours since 1900-01-01" in UTC.`);
  }
  const part = (name: string): number => Number(parts[name] ?? 0);
  if (calendar.toLowerCase() !== 'proleptic_gregorian' && part('year') < FIRST_GREGORIAN_YEAR) {
    throw invalidStore(`Time units "${units}" start in the Julian calendar; use a date after 1582.`);
  }
  const origin = new Date(0);
  origin.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  const fraction = Number(`0.${parts['fraction'] ?? ''}0`);
  origin.setUTCHours(part('hour'), part('minute'), part('second'), Math.round(fraction * 1000));
  const zoneMinutes = part('zoneHour') * 60 + part('zoneMinute');
  const ahead = parts['sign'] === '-' ? -zoneMinutes : zoneMinutes;
  return { millisPerUnit, originMillis: origin.getTime() - ahead * MILLIS_PER_UNIT.minute };
}

/** Whether there is such a day and time; the 30th of February is the 2nd of March for `Date`. */
function isInRange(parts: Readonly<Record<string, string | undefined>>): boolean {
  const number = (name: string): number => Number(parts[name] ?? 0);
  if (!Object.entries(LARGEST).every(([name, largest]) => number(name) <= largest)) return false;
  const date = new Date(0);
  date.setUTCFullYear(number('year'), number('month') - 1, number('day'));
  return date.getUTCMonth() === number('month') - 1 && date.getUTCDate() === number('day');
}

/** Milliseconds of a unit of time; undefined for any other, months and years too, whose length is not known. */
export function millisOfUnit(unit: string): number | undefined {
  const lower = unit.toLowerCase();
  const name = lower.replace(/s$/, '');
  const singular = SHORT_UNITS[lower] ?? SHORT_UNITS[name] ?? name;
  return Object.hasOwn(MILLIS_PER_UNIT, singular)
    ? MILLIS_PER_UNIT[singular as keyof typeof MILLIS_PER_UNIT]
    : undefined;
}
