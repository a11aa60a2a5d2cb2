import { finiteOrNull } from './mean.ts';

/** Weighted first and second moments of pairs (x, y), about their means. */
export interface Comoments {
  /** Sum of the weights; 0 for an empty sample. */
  readonly weight: number;
  readonly meanX: number;
  readonly meanY: number;
  /** Weighted sums of squared distances from the means. */
  readonly squaresX: number;
  readonly squaresY: number;
  /** Weighted sum of the products of both distances. */
  readonly products: number;
}

/** Identity element: the moments of no pair. */
export const NO_COMOMENTS: Comoments = {
  weight: 0,
  meanX: 0,
  meanY: 0,
  squaresX: 0,
  squaresY: 0,
  products: 0,
};

/** Plain sums over one row of pairs, taken about a shift that is itself a pair of that row. */
export interface ShiftedSums {
  readonly count: number;
  readonly shiftX: number;
  readonly shiftY: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

/**
 * Turns the sums of a row, all of whose pairs have the same weight, into moments.
 *
 * Cancellation is bounded: a member of a sample of n lies within sqrt(n) standard deviations of its mean, so the
 * relative error is at most about n times that of a double.
 */
export function comomentsOfRow(sums: ShiftedSums, weight: number): Comoments {
  const { count, x, y } = sums;
  if (count === 0) return NO_COMOMENTS;
  return {
    weight: weight * count,
    meanX: sums.shiftX + x / count,
    meanY: sums.shiftY + y / count,
    squaresX: weight * Math.max(0, sums.xx - (x * x) / count),
    squaresY: weight * Math.max(0, sums.yy - (y * y) / count),
    products: weight * (sums.xy - (x * y) / count),
  };
}

/**
 * Merges two samples of pairs (parallel algorithm of Chan, Golub and LeVeque 1979). A sample without weight changes
 * nothing.
 */
export function joinComoments(left: Comoments, right: Comoments): Comoments {
  if (!(right.weight > 0)) return left;
  const weight = left.weight + right.weight;
  const share = right.weight / weight;
  const distanceX = right.meanX - left.meanX;
  const distanceY = right.meanY - left.meanY;
  const scale = left.weight * share;
  return {
    weight,
    meanX: left.meanX + distanceX * share,
    meanY: left.meanY + distanceY * share,
    squaresX: left.squaresX + right.squaresX + distanceX * distanceX * scale,
    squaresY: left.squaresY + right.squaresY + distanceY * distanceY * scale,
    products: left.products + right.products + distanceX * distanceY * scale,
  };
}

/** Below this standard deviation, in the unit of the variable, a field is constant and has no correlation. */
const SMALLEST_STANDARD_DEVIATION = 1e-12;

/**
 * Weighted, centred Pearson correlation, clipped to [-1, 1] (domain 4.2: sum w x'y' / sqrt(sum w x'^2 sum w y'^2)).
 *
 * @returns null for an empty sample, and where either standard deviation is below 1e-12
 */
export function weightedCorrelation(pairs: Comoments): number | null {
  const deviationX = Math.sqrt(pairs.squaresX / pairs.weight);
  const deviationY = Math.sqrt(pairs.squaresY / pairs.weight);
  if (!(deviationX >= SMALLEST_STANDARD_DEVIATION && deviationY >= SMALLEST_STANDARD_DEVIATION)) return null;
  const correlation = pairs.products / pairs.weight / deviationX / deviationY;
  return finiteOrNull(Math.min(1, Math.max(-1, correlation)));
}
