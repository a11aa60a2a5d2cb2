import {
  comomentsOfRow,
  joinComoments,
  NO_COMOMENTS,
  type Comoments,
  type ShiftedSums,
} from './comoments.ts';
import { type FieldValues, firstSharedPoint, type GridRow, type RowSpan } from './field-grid.ts';
import { addRowSquares, NO_SQUARES, type MeanSquare } from './mean-square.ts';

/** Sufficient statistics of forecast, truth and reference forecast, over any set of rows. */
export interface FieldReference {
  /** Pairs (forecast, reference) where both are finite, weighted with cos(latitude). */
  readonly patterns: Comoments;
  /** Squared forecast - reference over the same points. */
  readonly distance: MeanSquare;
  /** Squared reference - truth where these two are finite. */
  readonly referenceError: MeanSquare;
}

interface FieldTriple {
  readonly forecast: FieldValues;
  readonly truth: FieldValues;
  readonly reference: FieldValues;
}

/** Sums of one row: the patterns, their squared distance, and the squares of reference - truth with their number. */
interface ReferenceSums extends ShiftedSums {
  readonly distance: number;
  readonly truthCount: number;
  readonly squares: number;
}

/** Identity element: the statistics of no point. */
export const NO_REFERENCE: FieldReference = {
  patterns: NO_COMOMENTS,
  distance: NO_SQUARES,
  referenceError: NO_SQUARES,
};

/**
 * Compares a forecast and its truth with a reference forecast on a grid, row by row.
 *
 * @param initial statistics of other rows of the grid, to which these rows are added
 */
export function measureReference(
  fields: FieldTriple,
  rows: readonly GridRow[],
  initial: FieldReference = NO_REFERENCE,
): FieldReference {
  let { patterns, distance, referenceError } = initial;
  for (const row of rows) {
    if (row.weight === 0) continue;
    const sums = rowReference(fields.forecast, fields.truth, fields.reference, row);
    patterns = joinComoments(patterns, comomentsOfRow(sums, row.weight));
    distance = addRowSquares(distance, { count: sums.count, sum: sums.distance }, row.weight);
    referenceError = addRowSquares(referenceError, { count: sums.truthCount, sum: sums.squares }, row.weight);
  }
  return { patterns, distance, referenceError };
}

/**
 * Hot loop. Takes the arrays as separate parameters: destructured from an object, they can make V8 deoptimise it for
 * good.
 */
function rowReference(
  forecast: FieldValues,
  truth: FieldValues,
  reference: FieldValues,
  row: RowSpan,
): ReferenceSums {
  const first = firstSharedPoint([forecast, reference], row);
  const shiftX = forecast[first] ?? 0;
  const shiftY = reference[first] ?? 0;
  const { start, end } = row;
  let missing = 0;
  let withoutTruth = 0;
  let squares = 0;
  let distance = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let index = start; index < end; index++) {
    const value = forecast[index] ?? NaN;
    const other = reference[index] ?? NaN;
    const error = other - (truth[index] ?? NaN);
    const difference = value - other;
    if (error - error === 0) squares += error * error;
    else withoutTruth++;
    if (difference - difference === 0) {
      const dx = value - shiftX;
      const dy = other - shiftY;
      distance += difference * difference;
      x += dx;
      y += dy;
      xx += dx * dx;
      yy += dy * dy;
      xy += dx * dy;
    } else missing++;
  }
  const points = end - start;
  const truthCount = points - withoutTruth;
  return { count: points - missing, shiftX, shiftY, x, y, xx, yy, xy, distance, truthCount, squares };
}
