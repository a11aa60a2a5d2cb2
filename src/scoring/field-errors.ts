import { type FieldValues, firstSharedPoint, type GridRow, type RowSpan } from './field-grid.ts';
import { joinMoments, NO_MOMENTS, type Moments } from './moments.ts';

/** Sufficient statistics of forecast and truth, over the points where both are finite. */
export interface FieldErrors {
  /** Moments of forecast - truth, weighted with cos(latitude). */
  readonly errors: Moments;
  /** Sum of w |forecast - truth|. */
  readonly absoluteSum: number;
  /** Mean of forecast - truth in which every point counts the same, whatever its latitude. */
  readonly unweightedMean: number;
  /** Finite pairs, and points where the truth alone is finite. */
  readonly sharedPoints: number;
  readonly truthOnlyPoints: number;
  /** Extremes of the finite forecast values, with or without a truth; Infinity and -Infinity when there is none. */
  readonly forecastMin: number;
  readonly forecastMax: number;
}

/** Identity element: the statistics of no point. */
export const NO_ERRORS: FieldErrors = {
  errors: NO_MOMENTS,
  absoluteSum: 0,
  unweightedMean: 0,
  sharedPoints: 0,
  truthOnlyPoints: 0,
  forecastMin: Infinity,
  forecastMax: -Infinity,
};

interface RowErrors {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
  readonly absolute: number;
  readonly truthOnly: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Measures the errors of a forecast on a grid, row by row. Rows of weight 0 count in the unweighted figures only.
 *
 * @param initial statistics of other rows of the grid, to which these rows are added
 */
export function measureErrors(
  { forecast, truth }: { readonly forecast: FieldValues; readonly truth: FieldValues },
  rows: readonly GridRow[],
  initial: FieldErrors = NO_ERRORS,
): FieldErrors {
  let { errors, absoluteSum, truthOnlyPoints, forecastMin, forecastMax } = initial;
  let unweighted: Moments = { weight: initial.sharedPoints, mean: initial.unweightedMean, squares: 0 };
  for (const row of rows) {
    const sums = rowErrors(forecast, truth, row);
    const { count, mean } = sums;
    errors = joinMoments(errors, { weight: row.weight * count, mean, squares: row.weight * sums.squares });
    unweighted = joinMoments(unweighted, { weight: count, mean, squares: sums.squares });
    absoluteSum += row.weight * sums.absolute;
    truthOnlyPoints += sums.truthOnly;
    forecastMin = Math.min(forecastMin, sums.min);
    forecastMax = Math.max(forecastMax, sums.max);
  }
  const sharedPoints = unweighted.weight;
  const unweightedMean = unweighted.mean;
  return { errors, absoluteSum, unweightedMean, sharedPoints, truthOnlyPoints, forecastMin, forecastMax };
}

/** Hot loop: sums shifted by the first error of the row, so that a constant error has a variance of exactly 0. */
function rowErrors(forecast: FieldValues, truth: FieldValues, row: RowSpan): RowErrors {
  const first = firstSharedPoint([forecast, truth], row);
  const shift = (forecast[first] ?? 0) - (truth[first] ?? 0);
  const { start, end } = row;
  let missing = 0;
  let truthOnly = 0;
  let sum = 0;
  let sumOfSquares = 0;
  let absolute = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let index = start; index < end; index++) {
    const value = forecast[index] ?? NaN;
    const actual = truth[index] ?? NaN;
    const error = value - actual;
    if (error - error === 0) {
      if (value < min) min = value;
      if (value > max) max = value;
      const shifted = error - shift;
      sum += shifted;
      sumOfSquares += shifted * shifted;
      absolute += Math.abs(error);
    } else {
      missing++;
      if (Number.isFinite(actual)) truthOnly++;
      if (Number.isFinite(value)) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
    }
  }
  const count = end - start - missing;
  const mean = count === 0 ? 0 : shift + sum / count;
  const squares = count === 0 ? 0 : Math.max(0, sumOfSquares - (sum * sum) / count);
  return { count, mean, squares, absolute, truthOnly, min, max };
}
