import { CategorizedError } from '#semconv';
import type { ArrayDescription } from './array-description.ts';
import type { AxisRole } from './axes.ts';
import { decodeCfTimes } from './cf-time.ts';
import type { Grid } from './grid-store.ts';
import { invalidStore } from './grid-errors.ts';
import { readArray } from './read-array.ts';
import { createUnpacker } from './field-reader.ts';
import { openArray, readArrayDescription, type ZarrGroup } from './zarr-group.ts';

/** An hourly axis of a century fits; a longer one is a mistake or an attack. */
const MAX_COORDINATE_VALUES = 1_000_000;
const MAX_PRESSURE_HPA = 1100;

/** Conversion factors of pressure units to hPa. Absent units are taken as hPa. */
const HPA_PER_UNIT: Readonly<Record<string, number>> = {
  hpa: 1,
  millibars: 1,
  millibar: 1,
  mbar: 1,
  mb: 1,
  pa: 0.01,
};

export interface Coordinates extends Grid {
  readonly validTimes: readonly Date[];
  readonly pressureLevelsHpa: readonly number[] | null;
}

/**
 * Reads the coordinate arrays of the roles that the fields use.
 *
 * @throws CategorizedError `not_found` for an absent coordinate, `invalid_response` for one that is out of range,
 * repeated or without known units.
 */
export async function readCoordinates(
  group: ZarrGroup,
  names: ReadonlyMap<AxisRole, string>,
): Promise<Coordinates> {
  const [time, level, latitude, longitude] = await Promise.all(
    (['time', 'level', 'latitude', 'longitude'] as const).map((role) =>
      readCoordinate(group, names.get(role)),
    ),
  );
  return {
    validTimes: toValidTimes(required(time)),
    pressureLevelsHpa: level === undefined ? null : toPressureLevels(level),
    latitudes: toDegrees(required(latitude), { min: -90, max: 90 }),
    longitudes: toDegrees(required(longitude), { min: -360, max: 720 }),
  };
}

/** A coordinate array, unpacked but not yet converted to times, levels or degrees. */
interface Coordinate {
  readonly description: ArrayDescription;
  readonly values: readonly number[];
}

async function readCoordinate(group: ZarrGroup, name: string | undefined): Promise<Coordinate | undefined> {
  if (name === undefined) return undefined;
  const description = await readArrayDescription(group, name);
  if (description === undefined) {
    throw new CategorizedError(
      'not_found',
      `The store has a dimension ${name} but no coordinate array of that name.`,
    );
  }
  const [length = 0, ...rest] = description.shape;
  if (rest.length > 0 || length === 0 || length > MAX_COORDINATE_VALUES) {
    throw invalidStore(
      `Coordinate ${name} has shape (${description.shape.join(', ')}); one axis of 1 to ${String(MAX_COORDINATE_VALUES)} values is allowed.`,
    );
  }
  const { data } = await readArray(await openArray(group, description), [null]);
  // Coordinates have no absent values (CF, section 2.5.1): what marks them elsewhere is a value here.
  const unpack = createUnpacker({ ...description, missingValues: [] });
  return { description, values: Array.from(data, (value) => unpack(Number(value))) };
}

function toValidTimes({ description, values }: Coordinate): Date[] {
  const { units, calendar, name } = description;
  if (units === null) throw invalidStore(`Coordinate ${name} has no units; write "hours since 1900-01-01".`);
  const times = decodeCfTimes(values, { units, calendar: calendar ?? undefined });
  requireDistinct(name, times.map(Number));
  return times;
}

function toPressureLevels({ description, values }: Coordinate): number[] {
  const units = description.units ?? 'hPa';
  const factor = HPA_PER_UNIT[units.toLowerCase()];
  if (factor === undefined) {
    throw invalidStore(`Coordinate ${description.name} has units "${units}"; allowed: hPa, millibars, Pa.`);
  }
  const levels = values.map((value) => value * factor);
  const outside = levels.find((level) => !(level > 0 && level <= MAX_PRESSURE_HPA));
  if (outside !== undefined) {
    throw invalidStore(
      `Coordinate ${description.name} holds ${String(outside)} hPa; above 0 and at most ${String(MAX_PRESSURE_HPA)} is allowed.`,
    );
  }
  requireDistinct(description.name, levels);
  return levels;
}

/** Also rejects NaN, for which every range comparison is false. */
function toDegrees({ description, values }: Coordinate, range: { min: number; max: number }): Float64Array {
  const inRange = values.every((value) => value >= range.min && value <= range.max);
  const rising = Math.sign((values[1] ?? 0) - (values[0] ?? 0));
  const monotonic = values.every(
    (value, index) => index === 0 || (value - (values[index - 1] ?? 0)) * rising > 0,
  );
  const narrow = Math.abs((values.at(-1) ?? 0) - (values[0] ?? 0)) <= 360;
  if (inRange && monotonic && narrow) return Float64Array.from(values);
  throw invalidStore(
    `Coordinate ${description.name} must rise or fall strictly within ${String(range.min)} to ${String(range.max)} ` +
      `degrees and span at most 360; got ${String(values.length)} values from ${String(values[0])} to ${String(values.at(-1))}.`,
  );
}

function requireDistinct(name: string, values: readonly number[]): void {
  if (new Set(values).size !== values.length) throw invalidStore(`Coordinate ${name} holds a value twice.`);
}

function required(coordinate: Coordinate | undefined): Coordinate {
  if (coordinate === undefined) throw invalidStore('Time, latitude and longitude are needed.');
  return coordinate;
}
