import { CategorizedError } from '#semconv';
import { conversionOf } from '#semconv/variable-names';
import type { ArrayDescription } from './array-description.ts';
import { type AxisRole, DIMENSION_NAMES } from './axes.ts';
import { withChunkGuard } from './chunk-guard.ts';
import type { Grid } from './grid-store.ts';
import { invalidStore } from './grid-errors.ts';
import { readArray } from './read-array.ts';
import { requireReadable } from './read-limits.ts';
import { createUnpacker } from './field-reader.ts';
import { type Coordinate, createDayOfYearAxis, createTimeAxis, type TimeAxis } from './time-axis.ts';
import { openArray, readArrayDescription, type ZarrGroup } from './zarr-group.ts';

/** An hourly axis of a century fits; a longer one is a mistake or an attack. */
const MAX_COORDINATE_VALUES = 1_000_000;
const MAX_PRESSURE_HPA = 1100;

const PA_PER_HPA = 100;

/** The coordinates of a store. */
export interface Coordinates extends Grid {
  readonly times: TimeAxis;
  readonly pressureLevelsHpa: readonly number[] | null;
  /** Values of each coordinate that is a dimension of fields, a meridian that is stored twice included. */
  readonly lengths: ReadonlyMap<AxisRole, number>;
}

/**
 * Reads the coordinate arrays of the roles that the fields use; time, T0, lead and level may be scalar coordinates instead.
 *
 * @throws CategorizedError `not_found` for an absent coordinate, `invalid_response` for one that is out of range,
 * repeated or without known units.
 */
export async function readCoordinates(
  group: ZarrGroup,
  names: ReadonlyMap<AxisRole, string>,
): Promise<Coordinates> {
  const found = new Map<AxisRole, Coordinate>();
  for (const [role, name] of names) found.set(role, await readCoordinate(group, name));
  const lengths = new Map([...found].map(([role, { values }]) => [role, values.length]));
  if (!found.has('level')) await addScalar(group, 'level', found);
  if (!found.has('dayofyear')) await addTimes(group, found);
  const level = found.get('level');
  return {
    lengths,
    times: toTimeAxis(found),
    pressureLevelsHpa: level === undefined ? null : toPressureLevels(level),
    latitudes: toDegrees(required(found.get('latitude')), { min: -90, max: 90 }),
    longitudes: toMeridians(required(found.get('longitude'))),
  };
}

function toTimeAxis(found: ReadonlyMap<AxisRole, Coordinate>): TimeAxis {
  const dayOfYear = found.get('dayofyear');
  if (dayOfYear !== undefined) return createDayOfYearAxis(dayOfYear, found.get('hour'));
  return createTimeAxis({ time: found.get('time'), init: found.get('init'), lead: found.get('lead') });
}

/** Beside a lead, `time` is T0. Without a dimension of time there may be a scalar valid time, or T0 and lead. */
async function addTimes(group: ZarrGroup, found: Map<AxisRole, Coordinate>): Promise<void> {
  const dimension = found.get('time');
  if (dimension?.description.name === 'valid_time') return;
  if (dimension === undefined && !found.has('init') && !found.has('lead')) {
    const validTime = await readScalar(group, 'valid_time');
    if (validTime !== undefined) return void found.set('time', validTime);
  }
  const isAlongLeads = found.has('lead');
  if (!isAlongLeads) await addScalar(group, 'lead', found);
  if (!found.has('init') && dimension === undefined) {
    await addScalar(group, 'init', found);
    if (!found.has('init')) await addScalar(group, 'time', found);
  }
  const time = found.get('time');
  if (!found.has('lead') || time === undefined) return;
  if (!isAlongLeads && (await isValidTime(group, time))) return void found.delete('lead');
  found.set('init', time);
  found.delete('time');
}

/**
 * Whether `time` is the valid time although one lead stands beside it, as CF has it (`forecast_period`): T0 has a coordinate of
 * its own, or the standard name says so. With `valid_time` beside it, it is T0.
 */
async function isValidTime(group: ZarrGroup, { description }: Coordinate): Promise<boolean> {
  if (await hasArray(group, DIMENSION_NAMES.init)) return true;
  return description.standardName === 'time' && !(await hasArray(group, ['valid_time']));
}

async function hasArray(group: ZarrGroup, names: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    names.map((name) => readArrayDescription(group, name).catch(() => undefined)),
  );
  return found.some((one) => one !== undefined);
}

async function addScalar(group: ZarrGroup, role: AxisRole, found: Map<AxisRole, Coordinate>): Promise<void> {
  for (const name of DIMENSION_NAMES[role]) {
    const scalar = await readScalar(group, name);
    if (scalar !== undefined) return void found.set(role, scalar);
  }
}

/** A scalar coordinate, or one of length 1; undefined where there is none. */
async function readScalar(group: ZarrGroup, name: string): Promise<Coordinate | undefined> {
  // An array of texts under the name is no coordinate.
  const description = await readArrayDescription(group, name).catch(() => undefined);
  if (description?.shape.every((length) => length === 1) !== true) return undefined;
  return { description, values: await readValues(group, description) };
}

async function readCoordinate(group: ZarrGroup, name: string): Promise<Coordinate> {
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
  return { description, values: await readValues(group, description) };
}

/** A sharded coordinate is read as a sharded field is. */
const guarded = (group: ZarrGroup, description: ArrayDescription): ZarrGroup =>
  description.shard === null
    ? group
    : { ...group, store: withChunkGuard(group.store, { arrays: [description], requireChunks: false }) };

/** A store of a century of hours keeps them in one chunk: 8 MB, and as much again for what was preallocated. */
const MAX_COORDINATE_BYTES = 2 ** 26;

async function readValues(group: ZarrGroup, description: ArrayDescription): Promise<readonly number[]> {
  requireReadable(description, { isWhole: () => true, maxBytes: MAX_COORDINATE_BYTES });
  const { data } = await readArray(
    await openArray(guarded(group, description), description.name),
    description.shape.map(() => null),
  );
  // Coordinates have no absent values (CF, section 2.5.1): what marks them elsewhere is a value here.
  const unpack = createUnpacker({ ...description, missingValues: [] });
  return Array.from(data, (value) => unpack(Number(value)));
}

function toPressureLevels({ description, values }: Coordinate): number[] {
  const { name, standardName } = description;
  const units = description.units ?? 'hPa';
  // Units of pressure are those of the variable that is one.
  const factor = conversionOf('msl', units)?.factor;
  if (factor === undefined)
    throw invalidStore(`Coordinate ${name} has units "${units}"; allowed: hPa, millibars, Pa, kPa.`);
  if (description.units === null && standardName !== null && standardName !== 'air_pressure')
    throw invalidStore(
      `Coordinate ${name} is "${standardName}" and has no units; levels of pressure are allowed: interpolate to them, or write the ` +
        'standard name "air_pressure" or units if they are.',
    );
  const levels = values.map((value) => (value * factor) / PA_PER_HPA);
  const outside = levels.find((level) => !(level > 0 && level <= MAX_PRESSURE_HPA));
  if (outside !== undefined) {
    const assumed = description.units === null ? ' It has no units, which are taken as hPa; write them.' : '';
    throw invalidStore(
      `Coordinate ${description.name} holds ${String(outside)} hPa; above 0 and at most ${String(MAX_PRESSURE_HPA)} is allowed.${assumed}`,
    );
  }
  requireDistinct(description.name, levels);
  return levels;
}

/**
 * Meridians in their order, without a jump: an axis may begin anywhere and wrap at 180 or 360. A meridian that is stored at both
 * ends counts once.
 */
function toMeridians(coordinate: Coordinate): Float64Array {
  const { values } = coordinate;
  const steps = values.slice(1).map((value, at) => Math.sign(value - (values[at] ?? value)));
  const circle = steps.reduce((sum, step) => sum + step, 0) < 0 ? -360 : 360;
  let circles = 0;
  const meridians = values.map((value, at) => {
    if (at > 0 && steps[at - 1] === -Math.sign(circle)) circles += 1;
    return value + circles * circle;
  });
  const degrees = toDegrees({ ...coordinate, values: meridians }, { min: -720, max: 1080 });
  const isClosed = Math.abs(Math.abs((degrees.at(-1) ?? 0) - (degrees[0] ?? 0)) - 360) < 1e-6;
  return isClosed && degrees.length > 1 ? degrees.slice(0, -1) : degrees;
}

/** Radians are within the range of degrees, and so are the angles of a rotated pole: neither may pass for what it is not. */
function requireGeographic({ name, units, standardName }: ArrayDescription): void {
  if (units !== null && !/^(deg|°|$)/i.test(units.trim()))
    throw invalidStore(`Coordinate ${name} has units "${units}"; degrees are allowed: convert it to them.`);
  if (standardName?.startsWith('grid_') === true)
    throw invalidStore(
      `Coordinate ${name} is "${standardName}", an angle of a rotated pole; latitude and longitude are allowed: interpolate to them.`,
    );
}

/** Also rejects NaN, for which every range comparison is false. */
function toDegrees({ description, values }: Coordinate, range: { min: number; max: number }): Float64Array {
  requireGeographic(description);
  const inRange = values.every((value) => value >= range.min && value <= range.max);
  const rising = Math.sign((values[1] ?? 0) - (values[0] ?? 0));
  const monotonic = values.every(
    (value, index) => index === 0 || (value - (values[index - 1] ?? 0)) * rising > 0,
  );
  const narrow = Math.abs((values.at(-1) ?? 0) - (values[0] ?? 0)) <= 360 + 1e-6;
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
  if (coordinate === undefined) throw invalidStore('Latitude and longitude are needed.');
  return coordinate;
}
