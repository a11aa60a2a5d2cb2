import { KERNEL_FIELDS, ROW_SUM_BYTES, ROW_SUMS, rowProgram, type RowSum } from './row-program.ts';
import { compile } from './simd-module.ts';

/** Points of each field that are summed at a time: all four together stay in the second-level cache. */
export const KERNEL_POINTS = 32_768;
export const KERNEL_ROWS = 1024;
const FIELD_BYTES = KERNEL_POINTS * Float32Array.BYTES_PER_ELEMENT;
const HALVES = 2;

/** The sums of one row by name. */
export type RowSums = Readonly<Record<RowSum, number>>;

/** Sums up to `KERNEL_ROWS` rows and `KERNEL_POINTS` points of four fields in single precision. */
export interface RowKernel {
  /** The fields in the order of `KERNEL_FIELDS`, each from a multiple of `KERNEL_POINTS` on, row by row. */
  readonly fields: Float32Array;
  /** Every row needs an even number of points. A value that is not finite makes sums that are not finite either. */
  readonly sumRows: (rows: number, pointsPerRow: number) => void;
  /** What was summed last. */
  readonly sumsOf: (row: number) => RowSums;
}

export function createRowKernel(): RowKernel {
  const sumsAt = KERNEL_FIELDS.length * FIELD_BYTES;
  const { run, memory } = compile({
    ...rowProgram({ fieldBytes: FIELD_BYTES, sumsAt }),
    memoryBytes: sumsAt + KERNEL_ROWS * ROW_SUMS.length * ROW_SUM_BYTES,
  });
  const sums = new Float64Array(memory, sumsAt);
  return {
    fields: new Float32Array(memory, 0, KERNEL_FIELDS.length * KERNEL_POINTS),
    sumRows: run,
    sumsOf: (row) => joinHalves(sums, row * ROW_SUMS.length * HALVES),
  };
}

const PLACES = Object.fromEntries(ROW_SUMS.map((name, index) => [name, index * HALVES])) as RowSums;

/** Written out, name by name: it is done for every row of every field. */
function joinHalves(halves: Float64Array, start: number): RowSums {
  const minAt = start + PLACES.forecastMin;
  const maxAt = start + PLACES.forecastMax;
  return {
    error: both(halves, start + PLACES.error),
    errorSquares: both(halves, start + PLACES.errorSquares),
    absoluteError: both(halves, start + PLACES.absoluteError),
    forecastMin: Math.min(halves[minAt] ?? NaN, halves[minAt + 1] ?? NaN),
    forecastMax: Math.max(halves[maxAt] ?? NaN, halves[maxAt + 1] ?? NaN),
    actual: both(halves, start + PLACES.actual),
    actualSquares: both(halves, start + PLACES.actualSquares),
    anomalySquares: both(halves, start + PLACES.anomalySquares),
    referenceErrorSquares: both(halves, start + PLACES.referenceErrorSquares),
    forecast: both(halves, start + PLACES.forecast),
    reference: both(halves, start + PLACES.reference),
    forecastSquares: both(halves, start + PLACES.forecastSquares),
    referenceSquares: both(halves, start + PLACES.referenceSquares),
    differenceSquares: both(halves, start + PLACES.differenceSquares),
  };
}

const both = (halves: Float64Array, at: number): number => (halves[at] ?? NaN) + (halves[at + 1] ?? NaN);
