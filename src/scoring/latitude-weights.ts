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

const weightAt = (latitude: number): number =>
  Number.isFinite(latitude) ? Math.max(0, Math.cos(latitude * RADIANS_PER_DEGREE)) : 0;
