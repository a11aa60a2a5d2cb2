import { measureAnomalies } from '#scoring/field-anomalies';
import { measureErrors } from '#scoring/field-errors';
import { gridRows } from '#scoring/field-grid';
import { measureReference } from '#scoring/field-reference';
import { createRowKernel, KERNEL_POINTS, type RowKernel } from '#scoring/simd/row-kernel';
import { KERNEL_FIELDS, ROW_SUMS } from '#scoring/simd/row-program';
import { openTotals, type RowTotals } from '#scoring/simd/row-totals';
import { cpuMillis } from '#bench/harness/cpu-time';
import type { Comparison } from '#bench/harness/suite';
import { globe, leadField } from '#bench/scoring/lead-fields';
import { createPlainRowKernel } from '#bench/scoring/plain-row-kernel';

const SUMS_PER_ROW = 2 * ROW_SUMS.length;
const TOLERANCE = 1e-9;

/** All sums of one field: by the kernel, by the same loop in JavaScript, and as rows with gaps are summed. */
export function rowSumsComparison(stepDegrees: number, repeats: number): Comparison {
  const grid = globe(stepDegrees);
  const fields = KERNEL_FIELDS.map((role) => leadField({ role, name: 't', pressureHpa: 850 }, grid));
  const [rows, columns] = [grid.latitudes.length, grid.longitudes.length];
  const [kernel, plain] = [createRowKernel(), createPlainRowKernel()];
  const sumOf = (by: RowKernel) => (): RowTotals => sumFields(by, fields, columns);
  requireClose(sumOf(plain)(), sumOf(kernel)());
  const timed = (sum: () => unknown) => (): number =>
    cpuMillis(() => {
      for (let repeat = 0; repeat < repeats; repeat++) sum();
    }) / repeats;
  return {
    name: `sums of one field of ${rows} × ${columns} points`,
    unit: 'ms of CPU',
    sides: {
      'row kernel': timed(sumOf(kernel)),
      'the same in JavaScript': timed(sumOf(plain)),
      'point by point': timed(pointByPoint(fields, grid.latitudes)),
    },
    targets: ['the same in JavaScript', 'point by point'].map((side) => ({
      what: `${side}, times the row kernel`,
      unit: '×',
      value: (by: Readonly<Record<string, number>>) => (by[side] ?? NaN) / (by['row kernel'] ?? NaN),
    })),
  };
}

/** Block by block through the memory of the kernel, as fields are scored; every row weighs the same. */
function sumFields(kernel: RowKernel, fields: readonly Float32Array[], columns: number): RowTotals {
  const open = openTotals();
  const rowsAtOnce = Math.floor(KERNEL_POINTS / columns);
  const points = fields[0]?.length ?? 0;
  kernel.typical[0] = fields[0]?.[0] ?? 0;
  for (let from = 0; from < points; from += rowsAtOnce * columns) {
    const block = Math.min(rowsAtOnce * columns, points - from);
    for (const [index, field] of fields.entries())
      kernel.fields.set(field.subarray(from, from + block), index * KERNEL_POINTS);
    kernel.sumRows(block / columns, columns);
    for (let row = 0; row < block / columns; row++)
      open.add(kernel.sums, row * SUMS_PER_ROW, { weight: 1, points: columns });
  }
  return open.totals();
}

function pointByPoint(fields: readonly Float32Array[], latitudes: ArrayLike<number>): () => number {
  const [forecast, truth, reference, climatology] = fields;
  if (forecast === undefined || truth === undefined || reference === undefined || climatology === undefined)
    throw new Error('A field is missing.');
  const rows = gridRows({ forecast, truth, reference, climatology }, latitudes);
  return () =>
    measureErrors({ forecast, truth }, rows).absoluteSum +
    measureAnomalies({ forecast, truth, climatology }, rows).climatologyError.sum +
    measureReference({ forecast, truth, reference }, rows).distance.sum;
}

/** @throws Error when a sum differs by more than rounding: the times would mean nothing */
function requireClose(got: RowTotals, expected: RowTotals): void {
  for (const name of ROW_SUMS.filter((sum) => !sum.startsWith('forecastM'))) {
    if (!(Math.abs(got.sums[name] - expected.sums[name]) <= TOLERANCE * Math.abs(expected.sums[name])))
      throw new Error(`The sum ${name} is ${got.sums[name]} where the kernel has ${expected.sums[name]}.`);
  }
  if (got.forecastMin !== expected.forecastMin || got.forecastMax !== expected.forecastMax)
    throw new Error('The extremes differ.');
}
