import {
  comomentsOfRow,
  joinComoments,
  NO_COMOMENTS,
  type Comoments,
  type ShiftedSums,
} from './comoments.ts';
import { type FieldValues, firstSharedPoint, type GridRow, type RowSpan } from './field-grid.ts';
import { addRowSquares, NO_SQUARES, type MeanSquare } from './mean-square.ts';

/** Sufficient statistics of forecast, truth and climatology, over any set of rows. */
export interface FieldAnomalies {
  /** Pairs (forecast - climatology, truth - climatology) where all three are finite, weighted with cos(latitude). */
  readonly anomalies: Comoments;
  /** Squared climatology - truth where these two are finite. */
  readonly climatologyError: MeanSquare;
}

interface FieldTriple {
  readonly forecast: FieldValues;
  readonly truth: FieldValues;
  readonly climatology: FieldValues;
}

/** Sums of one row: the anomalies, and the squares of truth - climatology with their number. */
interface AnomalySums extends ShiftedSums {
  readonly truthCount: number;
  readonly squares: number;
}

/** Identity element: the statistics of no point. */
export const NO_ANOMALIES: FieldAnomalies = { anomalies: NO_COMOMENTS, climatologyError: NO_SQUARES };

/**
 * Measures the anomalies of a forecast and its truth on a grid, row by row.
 *
 * @param initial statistics of other rows of the grid, to which these rows are added
 */
export function measureAnomalies(
  fields: FieldTriple,
  rows: readonly GridRow[],
  initial: FieldAnomalies = NO_ANOMALIES,
): FieldAnomalies {
  let { anomalies, climatologyError } = initial;
  for (const row of rows) {
    if (row.weight === 0) continue;
    const sums = rowAnomalies(fields.forecast, fields.truth, fields.climatology, row);
    anomalies = joinComoments(anomalies, comomentsOfRow(sums, row.weight));
    climatologyError = addRowSquares(
      climatologyError,
      { count: sums.truthCount, sum: sums.squares },
      row.weight,
    );
  }
  return { anomalies, climatologyError };
}

/**
 * Hot loop. Takes the arrays as separate parameters: destructured from an object, they can make V8 deoptimise it for
 * good.
 */
function rowAnomalies(
  forecast: FieldValues,
  truth: FieldValues,
  climatology: FieldValues,
  row: RowSpan,
): AnomalySums {
  const first = firstSharedPoint([forecast, truth, climatology], row);
  const shiftX = (forecast[first] ?? 0) - (climatology[first] ?? 0);
  const shiftY = (truth[first] ?? 0) - (climatology[first] ?? 0);
  const { start, end } = row;
  let missing = 0;
  let withoutTruth = 0;
  let squares = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let index = start; index < end; index++) {
    const normal = climatology[index] ?? NaN;
    const anomaly = (forecast[index] ?? NaN) - normal;
    const actual = (truth[index] ?? NaN) - normal;
    if (actual - actual !== 0) {
      withoutTruth++;
      missing++;
      continue;
    }
    squares += actual * actual;
    if (anomaly - anomaly !== 0) {
      missing++;
      continue;
    }
    const dx = anomaly - shiftX;
    const dy = actual - shiftY;
    x += dx;
    y += dy;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  const points = end - start;
  return {
    count: points - missing,
    shiftX,
    shiftY,
    x,
    y,
    xx,
    yy,
    xy,
    truthCount: points - withoutTruth,
    squares,
  };
}
