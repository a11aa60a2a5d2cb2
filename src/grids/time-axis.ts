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
}

/** The valid times of a store, and where their fields are. */
export interface TimeAxis {
  readonly validTimes: readonly Date[];
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
      index: { time: at, init: at, lead: leadAt },
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
    if (indices.has(millis)) throw invalidStore(`Coordinate ${name} holds a value twice.`);
    indices.set(millis, index);
  }
  if (indices.size === 0) throw invalidStore(`Coordinate ${name} holds no time at all.`);
  return {
    validTimes: [...indices.keys()].map((millis) => new Date(millis)),
    indexOf: (validTime) => indices.get(validTime.getTime()),
  };
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
