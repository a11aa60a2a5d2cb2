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
  const low = (place: number): number => halves[start + place] ?? NaN;
  const high = (place: number): number => halves[start + place + 1] ?? NaN;
  const both = (place: number): number => low(place) + high(place);
  return {
    error: both(PLACES.error),
    errorSquares: both(PLACES.errorSquares),
    absoluteError: both(PLACES.absoluteError),
    forecastMin: Math.min(low(PLACES.forecastMin), high(PLACES.forecastMin)),
    forecastMax: Math.max(low(PLACES.forecastMax), high(PLACES.forecastMax)),
    actual: both(PLACES.actual),
    actualSquares: both(PLACES.actualSquares),
    anomalySquares: both(PLACES.anomalySquares),
    referenceErrorSquares: both(PLACES.referenceErrorSquares),
    forecast: both(PLACES.forecast),
    reference: both(PLACES.reference),
    forecastSquares: both(PLACES.forecastSquares),
    referenceSquares: both(PLACES.referenceSquares),
    differenceSquares: both(PLACES.differenceSquares),
  };
}
