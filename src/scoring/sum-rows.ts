import { NO_ANOMALIES } from './field-anomalies.ts';
import { NO_ERRORS } from './field-errors.ts';
import type { FieldValues, GridRow } from './field-grid.ts';
import { NO_REFERENCE } from './field-reference.ts';
import { createRowKernel, KERNEL_POINTS, KERNEL_ROWS } from './simd/row-kernel.ts';
import { KERNEL_FIELDS, ROW_SUM_BYTES, ROW_SUMS } from './simd/row-program.ts';
import { openTotals, type OpenTotals } from './simd/row-totals.ts';
import { sumsToMoments, type FieldMoments } from './sums-to-moments.ts';

/** Statistics of the rows without gaps, and the remaining rows, which are to be summed point by point. */
export interface RowSums extends FieldMoments {
  readonly rest: readonly GridRow[];
}

interface SummedFields {
  readonly forecast: FieldValues;
  readonly truth: FieldValues;
  readonly reference?: FieldValues;
  readonly climatology?: FieldValues;
}

/** One kernel for all calls: its memory is scratch space, and no value in it outlives a call. */
const KERNEL = createRowKernel();
const SUMS_PER_ROW = (ROW_SUMS.length * ROW_SUM_BYTES) / Float64Array.BYTES_PER_ELEMENT;

/**
 * Sums all fields in one pass with the SIMD kernel, two points at a time. Statistics of an absent field are
 * meaningless.
 *
 * Returns every row in `rest` where a field is not in single precision, where rows have an odd number of points or more
 * than the kernel's memory holds, and where a difference hardly varies: sums about zero would lose its digits.
 */
export function sumRows(
  { forecast, truth, reference = truth, climatology = truth }: SummedFields,
  rows: readonly GridRow[],
): RowSums {
  const fields = { forecast, truth, reference, climatology };
  const inOrder = KERNEL_FIELDS.map((name) => fields[name]).filter(isSingle);
  const points = forecast.length / rows.length;
  if (inOrder.length < KERNEL_FIELDS.length || points % 2 !== 0 || points > KERNEL_POINTS)
    return leaveAllRows(rows);
  const typical = truth.find(Number.isFinite) ?? 0;
  KERNEL.typical[0] = typical;
  const open = openTotals();
  const rest: GridRow[] = [];
  const rowsAtOnce = Math.min(KERNEL_ROWS, Math.floor(KERNEL_POINTS / points));
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    rest.push(...addBlock(open, inOrder, { rows: rows.slice(first, first + rowsAtOnce), points }));
  }
  const moments = sumsToMoments(open.totals(), typical);
  return moments === null ? leaveAllRows(rows) : { ...moments, rest };
}

const isSingle = (field: FieldValues): field is Float32Array => field instanceof Float32Array;

const leaveAllRows = (rest: readonly GridRow[]): RowSums => ({
  errors: NO_ERRORS,
  anomalies: NO_ANOMALIES,
  reference: NO_REFERENCE,
  rest,
});

/** Sums adjacent rows of equal length. @returns the rows that have gaps, which were not added */
function addBlock(
  open: OpenTotals,
  fields: readonly Float32Array[],
  { rows, points }: { readonly rows: readonly GridRow[]; readonly points: number },
): GridRow[] {
  const [start, end] = [rows[0]?.start, rows.at(-1)?.end];
  for (const [index, field] of fields.entries()) {
    KERNEL.fields.set(field.subarray(start, end), index * KERNEL_POINTS);
  }
  KERNEL.sumRows(rows.length, points);
  return rows.filter(({ weight }, index) => !open.add(KERNEL.sums, index * SUMS_PER_ROW, { weight, points }));
}
