const RADIANS_PER_DEGREE = Math.PI / 180;

/**
 * Area weights of latitude rows: w = cos(latitude), domain 4.2.
 *
 * @param latitudes degrees north, one per row, in any order
 * @returns one weight in [0, 1] per row, not normalised; 0 where the latitude is not finite, and 0 where the cosine
 *   comes out negative (rounding at a pole)
 */
export function latitudeWeights(latitudes: ArrayLike<number>): Float64Array {
  const weights = new Float64Array(latitudes.length);
  for (let row = 0; row < weights.length; row++) weights[row] = weightAt(latitudes[row] ?? NaN);
  return weights;
}

/**
 * Area weights of the cells of latitude rows: the difference of the sines of their bounds, which lie midway between rows and
 * half a step beyond the first and last one, not beyond a pole (WeatherBench-X, `GridAreaWeighting`). On a regional grid the
 * rows at its edges are no heavier than others, as they are where their cells run to the poles (WeatherBench 2).
 *
 * @param latitudes degrees north, rising or falling, one per row
 * @returns one weight per row, not normalised; 1 for a single row
 */
export function cellWeights(latitudes: ArrayLike<number>): Float64Array {
  const rows = latitudes.length;
  if (rows === 1) return Float64Array.of(1);
  const at = (row: number): number => latitudes[row] ?? NaN;
  const sineOfBound = (row: number): number => {
    const first = Math.min(Math.max(row - 1, 0), rows - 2);
    const step = at(first + 1) - at(first);
    const bound = row === 0 ? at(0) - step / 2 : at(row - 1) + step / 2;
    return Math.sin(Math.min(90, Math.max(-90, bound)) * RADIANS_PER_DEGREE);
  };
  return Float64Array.from({ length: rows }, (_, row) => Math.abs(sineOfBound(row + 1) - sineOfBound(row)));
}

const weightAt = (latitude: number): number =>
  Number.isFinite(latitude) ? Math.max(0, Math.cos(latitude * RADIANS_PER_DEGREE)) : 0;
