import {
  comomentsOfRow,
  joinComoments,
  NO_COMOMENTS,
  type Comoments,
  type ShiftedSums,
} from './comoments.ts';
import { type FieldValues, firstSharedPoint, type GridRow, type RowSpan } from './field-grid.ts';
import { addRowSquares, NO_SQUARES, type MeanSquare } from './mean-square.ts';

/** Error sums of forecast and reference forecast against truth. */
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

/** The identity of the merge: no points. */
export const NO_REFERENCE: FieldReference = {
  patterns: NO_COMOMENTS,
  distance: NO_SQUARES,
  referenceError: NO_SQUARES,
};

/**
 * Compares a forecast and its truth with a reference forecast on a grid, row by row.
 *
 * @param known the sums of other rows of the grid
 */
export function measureReference(
  fields: FieldTriple,
  rows: readonly GridRow[],
  known: FieldReference = NO_REFERENCE,
): FieldReference {
  let { patterns, distance, referenceError } = known;
  for (const row of rows) {
    if (row.weight === 0) continue;
    const found = rowReference(fields.forecast, fields.truth, fields.reference, row);
    patterns = joinComoments(patterns, comomentsOfRow(found, row.weight));
    distance = addRowSquares(distance, { count: found.count, sum: found.distance }, row.weight);
    referenceError = addRowSquares(
      referenceError,
      { count: found.truthCount, sum: found.squares },
      row.weight,
    );
  }
  return { patterns, distance, referenceError };
}

/**
 * The hot loop. It takes the arrays one by one: read from an object, they can keep it from being optimised for good.
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
