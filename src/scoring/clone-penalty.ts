import { finiteOrNull } from './mean.ts';

/**
 * Weighted mean-square distance from the reference below which a day-one forecast counts as a copy of it (domain 4.3
 * step 3), by variable with level, in the squared unit of the variable. For z500 the field is geopotential: 100 m4/s4
 * is about (1 m)^2 of height.
 */
export const CLONE_THRESHOLDS: Readonly<Record<string, number>> = {
  '2t': 0.0025,
  msl: 400,
  '10u': 0.01,
  '10v': 0.01,
  z500: 100,
};

/** Penalty of an exact copy (gamma), in units of skill. */
const CLONE_PENALTY_SCALE = 1;

/**
 * Deduction from the skill of a forecast that resembles the reference: gamma (1 - d / D) for d < D, otherwise 0
 * (domain 4.3 step 3).
 *
 * @param distance d, weighted mse(forecast, reference); null when unknown
 * @param threshold D, in the same squared unit
 * @returns 0..gamma, or null where the distance is unknown
 * @throws RangeError when the threshold is not positive, or the distance or gamma is negative
 */
export function clonePenalty(
  distance: number | null,
  threshold: number,
  { gamma = CLONE_PENALTY_SCALE }: { readonly gamma?: number } = {},
): number | null {
  if (!(threshold > 0) || !(gamma >= 0)) {
    throw new RangeError(
      `A clone penalty needs a threshold above 0 and gamma of at least 0, got ${threshold} and ${gamma}.`,
    );
  }
  const known = finiteOrNull(distance);
  if (known === null) return null;
  if (known < 0) {
    throw new RangeError(`A clone distance is a mean square, 0 or more, got ${known}; check its source.`);
  }
  return known < threshold ? gamma * (1 - known / threshold) : 0;
}
