import type { AnomalySums } from './field-anomalies.ts';
import type { RowErrors } from './field-errors.ts';
import type { GridRow } from './field-grid.ts';
import type { ReferenceSums } from './field-reference.ts';
import type { FieldValues } from './field-values.ts';
import { createRowKernel, KERNEL_POINTS, KERNEL_ROWS, type RowSums } from './row-kernel.ts';
import { KERNEL_FIELDS } from './row-program.ts';
import { squaresAboutMean, squaresAboutZero } from './shifted-squares.ts';

/** What all scores need of a row in which no field lacks a value. */
export interface WholeRow {
  readonly errors: RowErrors;
  readonly anomalies: AnomalySums;
  readonly reference: ReferenceSums;
}

interface SummedFields {
  readonly forecast: FieldValues;
  readonly truth: FieldValues;
  readonly reference?: FieldValues;
  readonly climatology?: FieldValues;
}

/** Its memory is scratch: nothing in it outlives a call. */
const KERNEL = createRowKernel();

/**
 * Sums all fields in one pass, two points at a time; null for a row in which a value is not finite, which has to be summed
 * point by point. The sums with a field that is not given mean nothing.
 *
 * @returns nothing for fields that are not all in single precision, and for rows of an odd number of points or of too many
 */
export function sumWholeRows(
  { forecast, truth, reference = truth, climatology = truth }: SummedFields,
  rows: readonly GridRow[],
): readonly (WholeRow | null)[] {
  const fields = { forecast, truth, reference, climatology };
  const inOrder = KERNEL_FIELDS.map((name) => fields[name]).filter(isSingle);
  const count = forecast.length / rows.length;
  if (inOrder.length < KERNEL_FIELDS.length || count % 2 !== 0 || count > KERNEL_POINTS) return [];
  const rowsAtOnce = Math.min(KERNEL_ROWS, Math.floor(KERNEL_POINTS / count));
  const found: (WholeRow | null)[] = [];
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    const block = rows.slice(first, first + rowsAtOnce);
    sumBlock(inOrder, { first, rows: block.length, count });
    for (const [index, { start }] of block.entries()) {
      found.push(wholeRow(KERNEL.sumsOf(index), pointAt(fields, start), count));
    }
  }
  return found;
}

const isSingle = (field: FieldValues): field is Float32Array => field instanceof Float32Array;

interface Block {
  readonly first: number;
  readonly rows: number;
  /** Points of each row. */
  readonly count: number;
}

function sumBlock(fields: readonly Float32Array[], { first, rows, count }: Block): void {
  for (const [index, field] of fields.entries()) {
    KERNEL.fields.set(field.subarray(first * count, (first + rows) * count), index * KERNEL_POINTS);
  }
  KERNEL.sumRows(rows, count);
}

const pointAt = (fields: Required<SummedFields>, index: number): FirstPoint => ({
  forecast: fields.forecast[index] ?? NaN,
  truth: fields.truth[index] ?? NaN,
  reference: fields.reference[index] ?? NaN,
  climatology: fields.climatology[index] ?? NaN,
});

/** What the sums of a row are taken about. */
type FirstPoint = Readonly<Record<keyof SummedFields, number>>;

function wholeRow(sums: RowSums, first: FirstPoint, count: number): WholeRow | null {
  if (!Number.isFinite(sums.error + sums.actual + sums.referenceErrorSquares)) return null;
  return {
    errors: errorsOf(sums, first, count),
    anomalies: anomaliesOf(sums, first, count),
    reference: referenceOf(sums, first, count),
  };
}

function errorsOf(sums: RowSums, { forecast, truth }: FirstPoint, count: number): RowErrors {
  return {
    count,
    mean: forecast - truth + sums.error / count,
    squares: squaresAboutMean({ count, sum: sums.error, squares: sums.errorSquares }),
    absolute: sums.absoluteError,
    truthOnly: 0,
    min: sums.forecastMin,
    max: sums.forecastMax,
  };
}

/** Products follow from squares: 2 a b = a a + b b - (a - b)(a - b). */
function anomaliesOf(sums: RowSums, first: FirstPoint, count: number): AnomalySums {
  const shiftY = first.truth - first.climatology;
  return {
    count,
    shiftX: first.forecast - first.climatology,
    shiftY,
    x: sums.error + sums.actual,
    y: sums.actual,
    xx: sums.anomalySquares,
    yy: sums.actualSquares,
    xy: (sums.anomalySquares + sums.actualSquares - sums.errorSquares) / 2,
    truthCount: count,
    squares: squaresAboutZero({ count, shift: shiftY, sum: sums.actual, squares: sums.actualSquares }),
  };
}

function referenceOf(sums: RowSums, first: FirstPoint, count: number): ReferenceSums {
  const [shiftX, shiftY] = [first.forecast, first.reference];
  const { forecast: x, reference: y, forecastSquares: xx, referenceSquares: yy, differenceSquares } = sums;
  return {
    count,
    ...{ shiftX, shiftY, x, y, xx, yy },
    xy: (xx + yy - differenceSquares) / 2,
    distance: squaresAboutZero({ count, shift: shiftX - shiftY, sum: x - y, squares: differenceSquares }),
    truthCount: count,
    squares: sums.referenceErrorSquares,
  };
}
