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
 * Sums all fields in one pass, two points at a time; null for a row that has to be summed point by point: where
 * a value is not finite, or where a difference hardly changes along the row, so that sums about zero tell too little. The sums with a field that is not given mean nothing.
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
      const firstPoint = { forecast: forecast[start] ?? NaN, reference: reference[start] ?? NaN };
      found.push(wholeRow(KERNEL.sumsOf(index), firstPoint, count));
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

/** What the sums of a row are taken about. */
type FirstPoint = Readonly<Record<'forecast' | 'reference', number>>;

/** Share of the squares about zero below which those about the mean have lost digits that count. */
const SMALLEST_SHARE = 1e-4;

function wholeRow(sums: RowSums, first: FirstPoint, count: number): WholeRow | null {
  if (!Number.isFinite(sums.error + sums.actual + sums.referenceErrorSquares)) return null;
  const keepsDigits = (sum: number, squares: number): boolean =>
    squaresAboutMean({ count, sum, squares }) >= SMALLEST_SHARE * squares;
  const areDigitsKept =
    keepsDigits(sums.error, sums.errorSquares) &&
    keepsDigits(sums.actual, sums.actualSquares) &&
    keepsDigits(sums.error + sums.actual, sums.anomalySquares);
  if (!areDigitsKept) return null;
  return {
    errors: errorsOf(sums, count),
    anomalies: anomaliesOf(sums, count),
    reference: referenceOf(sums, first, count),
  };
}

const errorsOf = (sums: RowSums, count: number): RowErrors => ({
  count,
  mean: sums.error / count,
  squares: squaresAboutMean({ count, sum: sums.error, squares: sums.errorSquares }),
  absolute: sums.absoluteError,
  truthOnly: 0,
  min: sums.forecastMin,
  max: sums.forecastMax,
});

/** Products follow from squares: 2 a b = a a + b b - (a - b)(a - b). */
const anomaliesOf = (sums: RowSums, count: number): AnomalySums => ({
  count,
  shiftX: 0,
  shiftY: 0,
  x: sums.error + sums.actual,
  y: sums.actual,
  xx: sums.anomalySquares,
  yy: sums.actualSquares,
  xy: (sums.anomalySquares + sums.actualSquares - sums.errorSquares) / 2,
  truthCount: count,
  squares: sums.actualSquares,
});

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
