import type { Grid } from '#grids';

const RADIANS = Math.PI / 180;
const EARTH_RADIUS_METRES = 6_371_000;
const EARTH_ROTATION_PER_SECOND = 7.292e-5;
/** Nearer to the equator the balance fails; the Coriolis parameter of this latitude is used. */
const LEAST_LATITUDE_DEGREES = 20;
/** Meridians converge; towards the poles their distance is taken as at 84 degrees. */
const LEAST_COSINE = 0.1;

/** Eastward and northward wind in m/s, row-major (latitude, longitude). */
export interface Wind {
  readonly eastward: Float64Array;
  readonly northward: Float64Array;
}

/**
 * The wind in balance with a geopotential field (m2/s2): u = -(1/f) dz/dy, v = (1/f) dz/dx, by central differences on
 * a grid of equal longitude steps that goes round the globe.
 */
export function geostrophicWind(geopotential: ArrayLike<number>, grid: Grid): Wind {
  const { latitudes, longitudes } = grid;
  const width = longitudes.length;
  const at = (row: number, column: number): number =>
    geopotential[row * width + ((column + width) % width)] ?? 0;
  const eastward = new Float64Array(latitudes.length * width);
  const northward = new Float64Array(latitudes.length * width);
  const longitudeStep = RADIANS * ((longitudes[1] ?? 0) - (longitudes[0] ?? 0));
  latitudes.forEach((latitude, row) => {
    const coriolis = coriolisParameter(latitude);
    const north = Math.max(row - 1, 0);
    const south = Math.min(row + 1, latitudes.length - 1);
    const metresNorth = EARTH_RADIUS_METRES * RADIANS * ((latitudes[north] ?? 0) - (latitudes[south] ?? 0));
    const cosine = Math.max(Math.cos(RADIANS * latitude), LEAST_COSINE);
    const metresEast = 2 * EARTH_RADIUS_METRES * cosine * longitudeStep;
    for (let column = 0; column < width; column += 1) {
      const index = row * width + column;
      eastward[index] = -(at(north, column) - at(south, column)) / metresNorth / coriolis;
      northward[index] = (at(row, column + 1) - at(row, column - 1)) / metresEast / coriolis;
    }
  });
  return { eastward, northward };
}

/** f = 2 Omega sin(latitude), per second, bounded away from 0. */
function coriolisParameter(latitude: number): number {
  const effective = Math.max(Math.abs(latitude), LEAST_LATITUDE_DEGREES);
  return 2 * EARTH_ROTATION_PER_SECOND * Math.sin(RADIANS * effective) * (latitude < 0 ? -1 : 1);
}
