import type { Grid } from './grid-store.ts';

/** Degrees within which two coordinates are the same point: what 32-bit floats keep of 360, about 10 m. */
const TOLERANCE_DEGREES = 1e-4;

/**
 * Creates a bilinear interpolator of fields from one grid to another.
 *
 * Longitude is cyclic where the grid goes round the globe, and 350 and -10 are the same meridian. A point outside the
 * source grid is NaN, and so is one with a NaN neighbour that has weight. For equal grids it returns the field itself.
 */
export function createInterpolator(from: Grid, to: Grid): (field: Float32Array) => Float32Array {
  if (isSameGrid(from, to)) return (field) => field;
  const rows = Array.from(to.latitudes, (latitude) => locateLatitude(from.latitudes, latitude));
  const columns = Array.from(to.longitudes, (longitude) => locateLongitude(from.longitudes, longitude));
  const width = from.longitudes.length;
  return (field) => {
    const result = new Float32Array(rows.length * columns.length);
    let index = 0;
    for (const row of rows) {
      for (const column of columns) {
        const atLowerRow = blend(field, row.lower * width, column);
        const atUpperRow = blend(field, row.upper * width, column);
        result[index] = mix(atLowerRow, atUpperRow, row.fraction);
        index += 1;
      }
    }
    return result;
  };
}

/** Whether two grids have the same points. */
export function isSameGrid(first: Grid, second: Grid): boolean {
  return isSameAxis(first.latitudes, second.latitudes) && isSameAxis(first.longitudes, second.longitudes);
}

function isSameAxis(first: Float64Array, second: Float64Array): boolean {
  if (first.length !== second.length) return false;
  return first.every((value, index) => Math.abs(value - (second[index] ?? Number.NaN)) <= TOLERANCE_DEGREES);
}

/** Two neighbours on an axis and how far the point lies from the lower to the upper one, NaN when it lies outside. */
interface Location {
  readonly lower: number;
  readonly upper: number;
  readonly fraction: number;
}

const OUTSIDE: Location = { lower: 0, upper: 0, fraction: Number.NaN };

function locateLatitude(axis: Float64Array, latitude: number): Location {
  const sign = directionOf(axis);
  return locate(axis, { origin: 0, sign, position: latitude * sign });
}

function locateLongitude(axis: Float64Array, longitude: number): Location {
  const sign = directionOf(axis);
  const origin = axis[0] ?? 0;
  let position = modulo((longitude - origin) * sign, 360);
  if (360 - position <= TOLERANCE_DEGREES) position = 0;
  const found = locate(axis, { origin, sign, position });
  const last = axis.length - 1;
  const end = ((axis[last] ?? 0) - origin) * sign;
  const gap = 360 - end;
  // The globe is closed where the gap is no wider than a step of the grid.
  const closed = last > 0 && gap <= end / last + TOLERANCE_DEGREES;
  if (!Number.isNaN(found.fraction) || !closed) return found;
  return { lower: last, upper: 0, fraction: (position - end) / gap };
}

interface AxisPoint {
  readonly origin: number;
  /** 1 for a rising axis, -1 for a falling one. */
  readonly sign: number;
  /** The point in the axis' own direction, counted from the origin. */
  readonly position: number;
}

/** Binary search along the axis, taken in its own direction. */
function locate(axis: Float64Array, { origin, sign, position }: AxisPoint): Location {
  const at = (index: number): number => ((axis[index] ?? Number.NaN) - origin) * sign;
  const last = axis.length - 1;
  if (Math.abs(position - at(0)) <= TOLERANCE_DEGREES) return { lower: 0, upper: 0, fraction: 0 };
  if (Math.abs(position - at(last)) <= TOLERANCE_DEGREES) return { lower: last, upper: last, fraction: 0 };
  if (!(position > at(0) && position < at(last))) return OUTSIDE;
  let lower = 0;
  let upper = last;
  while (upper - lower > 1) {
    const middle = (lower + upper) >> 1;
    if (at(middle) <= position) lower = middle;
    else upper = middle;
  }
  return { lower, upper, fraction: (position - at(lower)) / (at(upper) - at(lower)) };
}

function blend(field: Float32Array, rowStart: number, { lower, upper, fraction }: Location): number {
  return mix(field[rowStart + lower] ?? Number.NaN, field[rowStart + upper] ?? Number.NaN, fraction);
}

/** Skips a neighbour of weight 0, so that its NaN does not propagate. */
function mix(lower: number, upper: number, fraction: number): number {
  if (fraction === 0) return lower;
  return lower + (upper - lower) * fraction;
}

function directionOf(axis: Float64Array): number {
  return (axis[axis.length - 1] ?? 0) < (axis[0] ?? 0) ? -1 : 1;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
