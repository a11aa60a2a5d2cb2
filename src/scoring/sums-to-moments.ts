import { NO_COMOMENTS, type Comoments } from './comoments.ts';
import type { FieldAnomalies } from './field-anomalies.ts';
import { NO_ERRORS, type FieldErrors } from './field-errors.ts';
import type { FieldReference } from './field-reference.ts';
import { NO_MOMENTS, type Moments } from './moments.ts';
import type { RowTotals } from './simd/row-totals.ts';

/** Sufficient statistics of rows, to which further rows can be merged. */
export interface FieldMoments {
  readonly errors: FieldErrors;
  readonly anomalies: FieldAnomalies;
  readonly reference: FieldReference;
}

/**
 * Cancellation guard: below this share of the squares about zero, those about the mean have lost significant digits.
 */
const SMALLEST_SHARE = 1e-4;

/**
 * Converts the raw sums of rows to moments about the mean.
 *
 * @param typical offset that was subtracted from forecast and reference
 * @returns null where a field or a difference varies so little about its mean that cancellation leaves too few digits
 */
export function sumsToMoments(totals: RowTotals, typical: number): FieldMoments | null {
  const { weight, sums } = totals;
  const errors = momentsOf(weight, sums.error, sums.errorSquares);
  const anomalies = pairsOf(weight, {
    ...{ x: sums.error + sums.actual, y: sums.actual },
    ...{ xx: sums.anomalySquares, yy: sums.actualSquares, differenceSquares: sums.errorSquares },
  });
  const patterns = pairsOf(weight, {
    ...{ x: sums.forecast, y: sums.reference },
    ...{ xx: sums.forecastSquares, yy: sums.referenceSquares, differenceSquares: sums.differenceSquares },
  });
  const areDigitsKept =
    errors.squares >= SMALLEST_SHARE * sums.errorSquares &&
    anomalies.squaresX >= SMALLEST_SHARE * sums.anomalySquares &&
    anomalies.squaresY >= SMALLEST_SHARE * sums.actualSquares &&
    patterns.squaresX >= SMALLEST_SHARE * sums.forecastSquares &&
    patterns.squaresY >= SMALLEST_SHARE * sums.referenceSquares;
  if (!areDigitsKept) return null;
  const { meanX, meanY } = patterns;
  return {
    errors: errorsOf(totals, errors),
    anomalies: { anomalies, climatologyError: { weight, sum: sums.actualSquares } },
    reference: {
      patterns: { ...patterns, meanX: meanX + typical, meanY: meanY + typical },
      distance: { weight, sum: sums.differenceSquares },
      referenceError: { weight, sum: sums.referenceErrorSquares },
    },
  };
}

function errorsOf(totals: RowTotals, errors: Moments): FieldErrors {
  const { points, unweightedError, forecastMin, forecastMax, sums } = totals;
  if (points === 0) return NO_ERRORS;
  return {
    errors,
    absoluteSum: sums.absoluteError,
    unweightedMean: unweightedError / points,
    sharedPoints: points,
    truthOnlyPoints: 0,
    ...{ forecastMin, forecastMax },
  };
}

function momentsOf(weight: number, sum: number, squares: number): Moments {
  if (!(weight > 0)) return NO_MOMENTS;
  return { weight, mean: sum / weight, squares: Math.max(0, squares - (sum * sum) / weight) };
}

/** Sums over pairs (x, y), with the squares of x - y in place of the products. */
type PairSums = Readonly<Record<'x' | 'y' | 'xx' | 'yy' | 'differenceSquares', number>>;

/** Products follow from squares: 2 x y = x x + y y - (x - y)(x - y). */
function pairsOf(weight: number, { x, y, xx, yy, differenceSquares }: PairSums): Comoments {
  if (!(weight > 0)) return NO_COMOMENTS;
  const [ofX, ofY] = [momentsOf(weight, x, xx), momentsOf(weight, y, yy)];
  return {
    weight,
    meanX: ofX.mean,
    meanY: ofY.mean,
    squaresX: ofX.squares,
    squaresY: ofY.squares,
    products: (xx + yy - differenceSquares) / 2 - (x * y) / weight,
  };
}
