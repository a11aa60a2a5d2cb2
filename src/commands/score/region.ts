import { InvalidArgumentError } from 'commander';
import type { Grid } from '#grids';
import { CategorizedError } from '#semconv';

/** A part of the globe, degrees; from the western meridian eastward to the eastern one, across 180 or Greenwich if need be. */
export interface Region {
  readonly south: number;
  readonly north: number;
  readonly west: number;
  readonly east: number;
}

/** Degrees within which a point is on the edge of a region: what 32-bit floats keep of 360. */
const TOLERANCE_DEGREES = 1e-4;
const GLOBE = 360;

/** Parses `lat0,lat1,lon0,lon1`. The latitudes may stand in either order; the longitudes are from west to east. */
export function region(text: string): Region {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [first = Number.NaN, second = Number.NaN, west = Number.NaN, east = Number.NaN] = parts;
  const isValid =
    parts.length === 4 &&
    [first, second].every((latitude) => Math.abs(latitude) <= 90) &&
    [west, east].every((longitude) => Math.abs(longitude) <= GLOBE);
  if (isValid) return { south: Math.min(first, second), north: Math.max(first, second), west, east };
  throw new InvalidArgumentError(
    'Allowed: lat0,lat1,lon0,lon1 in degrees, latitudes from -90 to 90, longitudes from -360 to 360 and from west to east, ' +
      'for example 35,70,-12,42 for Europe.',
  );
}

/** The points of a grid within a region, and how to take them out of a field. */
export interface GridWindow {
  readonly latitudes: Float64Array;
  readonly crop: (field: Float32Array) => Float32Array;
}

/**
 * The part of a grid that lies in a region; the whole grid without one. Fields are cropped after they were brought to the
 * grid, so that a point has the same value with and without a region.
 *
 * @throws CategorizedError for a region that holds no point of the grid
 */
export function createWindow(grid: Grid, within: Region | undefined): GridWindow {
  if (within === undefined) return { latitudes: grid.latitudes, crop: (field) => field };
  const { south, north, west, east } = within;
  const rows = indexesOf(
    grid.latitudes,
    (latitude) => latitude >= south - TOLERANCE_DEGREES && latitude <= north + TOLERANCE_DEGREES,
  );
  const width = east - west >= GLOBE ? GLOBE : eastward(west, east);
  const columns = indexesOf(grid.longitudes, (longitude) => {
    const offset = eastward(west, longitude);
    return offset <= width + TOLERANCE_DEGREES || offset >= GLOBE - TOLERANCE_DEGREES;
  });
  if (rows.length === 0 || columns.length === 0)
    throw new CategorizedError(
      'validator_internal',
      `--region holds no point of the truth: it has ${describeAxis('latitudes', grid.latitudes)} and ` +
        `${describeAxis('longitudes', grid.longitudes)}; the region has latitudes ${south} to ${north} and longitudes ` +
        `${west} eastward to ${east}. Name a larger region.`,
    );
  const stride = grid.longitudes.length;
  const points = rows.flatMap((row) => columns.map((column) => row * stride + column));
  return {
    latitudes: Float64Array.from(rows, (row) => grid.latitudes[row] ?? Number.NaN),
    crop: (field) => Float32Array.from(points, (point) => field[point] ?? Number.NaN),
  };
}

/** Degrees from one meridian eastward to another, 0 to below 360. */
const eastward = (from: number, to: number): number => (((to - from) % GLOBE) + GLOBE) % GLOBE;

const indexesOf = (axis: Float64Array, isInside: (degrees: number) => boolean): number[] =>
  Array.from(axis.keys()).filter((index) => isInside(axis[index] ?? Number.NaN));

const describeAxis = (name: string, axis: Float64Array): string =>
  `${name} ${Math.min(...axis)} to ${Math.max(...axis)}`;
