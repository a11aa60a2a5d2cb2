import { type FieldValues, firstSharedPoint, type GridRow, type RowSpan } from './field-grid.ts';
import { finiteOrNull } from './mean.ts';
import { addRowSquares, meanOfSquares, type MeanSquare } from './mean-square.ts';
import { joinMoments, meanSquareAround, NO_MOMENTS, type Moments } from './moments.ts';
import { skillScore } from './skill-score.ts';

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

/** Errors of a forecast and of a baseline over the points where both, and the truth, are finite: one mask for both. */
interface SharedErrors {
  readonly errors: Moments;
  /** Error of the forecast in which every point counts the same, whatever its latitude. */
  readonly unweighted: Moments;
  readonly baselineError: MeanSquare;
}

/** The skills of a forecast against one baseline; null where unknown. */
export interface BaselineSkill {
  /** 1 - mse(f - mean(f - o), o) / mse(b, o), the removed mean unweighted. */
  readonly skill: number | null;
  /** 1 - mse(f, o) / mse(b, o). */
  readonly plainSkill: number | null;
}

/**
 * Both skills against a baseline. Each mean square is taken over the same points, those where forecast, truth and baseline
 * are finite: with a mask for each, a forecast could raise its skill by leaving out the points that are hard for itself alone.
 *
 * @param summed statistics of other rows of the grid, none of which has a gap in any field
 */
export function measureSkill(
  fields: { readonly forecast: FieldValues; readonly truth: FieldValues; readonly baseline: FieldValues },
  rows: readonly GridRow[],
  summed: { readonly errors: FieldErrors; readonly baselineError: MeanSquare },
): BaselineSkill {
  const { errors, unweightedMean, sharedPoints } = summed.errors;
  let shared: SharedErrors = {
    errors,
    unweighted: { weight: sharedPoints, mean: unweightedMean, squares: 0 },
    baselineError: summed.baselineError,
  };
  for (const row of rows) shared = addSharedRow(shared, fields, row);
  const baselineMse = meanOfSquares(shared.baselineError);
  const mseAround = (centre: number): number | null => finiteOrNull(meanSquareAround(shared.errors, centre));
  return {
    skill: skillScore(mseAround(shared.unweighted.mean), baselineMse),
    plainSkill: skillScore(mseAround(0), baselineMse),
  };
}

/** Hot loop for rows with gaps: sums shifted by the first error of the row, as `rowErrors` takes them. */
function addSharedRow(
  total: SharedErrors,
  { forecast, truth, baseline }: Parameters<typeof measureSkill>[0],
  { start, end, weight }: GridRow,
): SharedErrors {
  let count = 0;
  let shift = 0;
  let sum = 0;
  let sumOfSquares = 0;
  let baselineSquares = 0;
  for (let index = start; index < end; index++) {
    const actual = truth[index] ?? NaN;
    const error = (forecast[index] ?? NaN) - actual;
    const other = (baseline[index] ?? NaN) - actual;
    if (error - error !== 0 || other - other !== 0) continue;
    if (count === 0) shift = error;
    count++;
    const shifted = error - shift;
    sum += shifted;
    sumOfSquares += shifted * shifted;
    baselineSquares += other * other;
  }
  if (count === 0) return total;
  const mean = shift + sum / count;
  const squares = Math.max(0, sumOfSquares - (sum * sum) / count);
  return {
    errors: joinMoments(total.errors, { weight: weight * count, mean, squares: weight * squares }),
    unweighted: joinMoments(total.unweighted, { weight: count, mean, squares }),
    baselineError:
      weight === 0
        ? total.baselineError
        : addRowSquares(total.baselineError, { count, sum: baselineSquares }, weight),
  };
}
