import type { ArrayDescription } from './array-description.ts';
import { decodeCfTimes, millisOfUnit } from './cf-time.ts';
import { invalidStore } from './grid-errors.ts';

/** A coordinate array, unpacked but not yet converted to times, levels or degrees. */
export interface Coordinate {
  readonly description: ArrayDescription;
  readonly values: readonly number[];
}

/** Where the field of a valid time is: its index on each of the dimensions of time; 0 on one that the array lacks. */
export interface TimeIndex {
  readonly time: number;
  readonly init: number;
  readonly lead: number;
  readonly dayofyear: number;
  readonly hour: number;
}

const FIRST_INDEX: TimeIndex = { time: 0, init: 0, lead: 0, dayofyear: 0, hour: 0 };

/** The valid times of a store, and where their fields are. */
export interface TimeAxis {
  readonly validTimes: readonly Date[];
  /** Whether each time has a field, by its day of the year. */
  readonly isByDayOfYear: boolean;
  /** Undefined for a time that the store lacks. */
  readonly indexOf: (validTime: Date) => TimeIndex | undefined;
}

/** Coordinates of time: valid times, or T0 and leads. */
export interface TimeCoordinates {
  readonly time?: Coordinate | undefined;
  readonly init?: Coordinate | undefined;
  readonly lead?: Coordinate | undefined;
}

/** What numpy has in the place of a time that is not there, as a number. */
const NOT_A_TIME = -(2 ** 63);

/**
 * Makes the valid times of a store from its coordinates; T0 and lead make one together. Times that are not there (NaT), as in an
 * axis that is made before it is filled, are left out.
 *
 * @throws CategorizedError `invalid_response` without times, with one twice, and with several T0 and several leads
 */
export function createTimeAxis({ time, init, lead }: TimeCoordinates): TimeAxis {
  const start = init ?? time;
  if (start === undefined)
    throw invalidStore('The store has no time: neither a dimension nor a scalar coordinate names one.');
  if (init !== undefined && lead === undefined)
    throw invalidStore(
      `Coordinate ${init.description.name} is T0, and no coordinate has the lead; write valid times as "time", or add "lead_time".`,
    );
  const starts = toTimes(start);
  const leads = lead === undefined ? [0] : toMillis(lead);
  if (starts.length > 1 && leads.length > 1)
    throw invalidStore(
      `The store has ${starts.length} T0 (${start.description.name}) and ${leads.length} leads (${lead?.description.name ?? ''}), ` +
        'whose valid times may fall together; select one T0.',
    );
  const entries = starts.flatMap((from, at) =>
    leads.map((millis, leadAt) => ({
      millis: from === null || millis === null ? null : from + millis,
      // A dimension `time` is T0 where the lead is scalar.
      index: { ...FIRST_INDEX, time: at, init: at, lead: leadAt },
    })),
  );
  return toAxis(start.description.name, entries);
}

function toAxis(
  name: string,
  entries: readonly { readonly millis: number | null; readonly index: TimeIndex }[],
): TimeAxis {
  const indices = new Map<number, TimeIndex>();
  for (const { millis, index } of entries) {
    if (millis === null) continue;
    if (Number.isNaN(new Date(millis).getTime()))
      throw invalidStore(
        `Coordinate ${name} and its lead give a valid time that is no instant; T0 and finite leads are allowed.`,
      );
    if (indices.has(millis))
      throw invalidStore(
        `Coordinate ${name} gives the valid time ${new Date(millis).toISOString()} twice, and which field counts is unknown; keep one, as by drop_duplicates("${name}").`,
      );
    indices.set(millis, index);
  }
  if (indices.size === 0) throw invalidStore(`Coordinate ${name} holds no time at all.`);
  return {
    validTimes: [...indices.keys()].map((millis) => new Date(millis)),
    isByDayOfYear: false,
    indexOf: (validTime) => indices.get(validTime.getTime()),
  };
}

const DAYS_OF_LEAP_YEAR = 366;
const MILLIS_PER_DAY = 86_400_000;
/** Climatologies of the field are six-hourly. */
const HOURS_BETWEEN = 6;

/**
 * Makes the axis of a climatology: a time has the field of its day of the year (1 to 366, so that 1 March is day 60 or 61) and of
 * the last six-hourly hour, each the nearest that there is: the last day of a leap year is day 365 where there is no other.
 */
export function createDayOfYearAxis(dayOfYear: Coordinate, hour: Coordinate | undefined): TimeAxis {
  requireWithin(dayOfYear, { min: 1, max: DAYS_OF_LEAP_YEAR });
  if (hour !== undefined) requireWithin(hour, { min: 0, max: 23 });
  return {
    validTimes: [],
    isByDayOfYear: true,
    indexOf: (validTime) => {
      const start = Date.UTC(validTime.getUTCFullYear(), 0, 1);
      const day = Math.floor((validTime.getTime() - start) / MILLIS_PER_DAY) + 1;
      const sixHourly = Math.floor(validTime.getUTCHours() / HOURS_BETWEEN) * HOURS_BETWEEN;
      return {
        ...FIRST_INDEX,
        dayofyear: nearestIndex(dayOfYear.values, day),
        hour: hour === undefined ? 0 : nearestIndex(hour.values, sixHourly),
      };
    },
  };
}

function requireWithin(
  { description, values }: Coordinate,
  { min, max }: { min: number; max: number },
): void {
  const isDistinct = new Set(values).size === values.length;
  if (isDistinct && values.every((value) => Number.isInteger(value) && value >= min && value <= max)) return;
  throw invalidStore(
    `Coordinate ${description.name} of a climatology must hold whole numbers from ${min} to ${max}, each once.`,
  );
}

/** The index of the nearest value; of two the larger value, as in pandas. */
function nearestIndex(values: readonly number[], wanted: number): number {
  let nearest = 0;
  for (const [index, value] of values.entries()) {
    const best = values[nearest] ?? value;
    const closer = Math.abs(best - wanted) - Math.abs(value - wanted);
    if (closer > 0 || (closer === 0 && value > best)) nearest = index;
  }
  return nearest;
}

const isTime = (value: number): boolean => !Number.isNaN(value) && value !== NOT_A_TIME;

function toTimes({ description, values }: Coordinate): (number | null)[] {
  const { units, calendar, name } = description;
  if (units === null) throw invalidStore(`Coordinate ${name} has no units; write "hours since 1900-01-01".`);
  const encoding = { units, calendar: calendar ?? undefined };
  const times = decodeCfTimes(values.filter(isTime), encoding)[Symbol.iterator]();
  return values.map((value) => (isTime(value) ? (times.next().value?.getTime() ?? null) : null));
}

/** Leads are spans of time, in hours or any unit of time. */
function toMillis({ description, values }: Coordinate): (number | null)[] {
  const { units, name } = description;
  const factor = units === null ? undefined : millisOfUnit(units.trim());
  if (factor === undefined)
    throw invalidStore(
      `Coordinate ${name} has ${units === null ? 'no units' : `units "${units}"`}; allowed for a lead: hours, days, minutes, seconds, nanoseconds.`,
    );
  return values.map((value) => (isTime(value) ? Math.round(value * factor) : null));
}
