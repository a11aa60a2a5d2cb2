import { KERNEL_POINTS, KERNEL_ROWS, type RowKernel } from '#scoring/simd/row-kernel';
import { KERNEL_FIELDS, ROW_SUMS } from '#scoring/simd/row-program';

const SUMS_PER_ROW = 2 * ROW_SUMS.length;
const MIN = ROW_SUMS.indexOf('forecastMin');
const MAX = ROW_SUMS.indexOf('forecastMax');

/** The row kernel as a plain JavaScript loop: the same sums in double precision, all in the first of the two halves. */
export function createPlainRowKernel(): RowKernel {
  const fields = new Float32Array(KERNEL_FIELDS.length * KERNEL_POINTS);
  const typical = new Float32Array(1);
  const sums = new Float64Array(KERNEL_ROWS * SUMS_PER_ROW);
  const field = (index: number): Float32Array =>
    fields.subarray(index * KERNEL_POINTS, (index + 1) * KERNEL_POINTS);
  const inOrder: KernelArrays = [field(0), field(1), field(2), field(3)];
  return {
    fields,
    typical,
    sums,
    sumRows: (rows, pointsPerRow) => {
      for (let row = 0; row < rows; row++) {
        const range = { from: row * pointsPerRow, to: (row + 1) * pointsPerRow };
        sumRow(inOrder, range, typical[0] ?? NaN, sums, row * SUMS_PER_ROW);
      }
    },
  };
}

/** In the order of `KERNEL_FIELDS`. */
type KernelArrays = readonly [Float32Array, Float32Array, Float32Array, Float32Array];

function sumRow(
  [forecasts, truths, references, climatologies]: KernelArrays,
  { from, to }: { readonly from: number; readonly to: number },
  typical: number,
  sums: Float64Array,
  at: number,
): void {
  let [error, errorSquares, absoluteError] = [0, 0, 0];
  let [forecastMin, forecastMax] = [Infinity, -Infinity];
  let [actual, actualSquares, anomalySquares, referenceErrorSquares] = [0, 0, 0, 0];
  let [forecast, reference, forecastSquares, referenceSquares, differenceSquares] = [0, 0, 0, 0, 0];
  for (let point = from; point < to; point++) {
    const f = forecasts[point] ?? NaN;
    const o = truths[point] ?? NaN;
    const r = references[point] ?? NaN;
    const c = climatologies[point] ?? NaN;
    forecastMin = f < forecastMin ? f : forecastMin;
    forecastMax = f > forecastMax ? f : forecastMax;
    const e = f - o;
    absoluteError += Math.abs(e);
    error += e;
    errorSquares += e * e;
    const a = o - c;
    actual += a;
    actualSquares += a * a;
    anomalySquares += (f - c) * (f - c);
    referenceErrorSquares += (r - o) * (r - o);
    const f0 = f - typical;
    forecast += f0;
    forecastSquares += f0 * f0;
    const r0 = r - typical;
    reference += r0;
    referenceSquares += r0 * r0;
    differenceSquares += (f0 - r0) * (f0 - r0);
  }
  // In the order of ROW_SUMS; the suite fails on any other.
  const found = [error, errorSquares, absoluteError, forecastMin, forecastMax, actual, actualSquares];
  found.push(anomalySquares, referenceErrorSquares, forecast, reference);
  found.push(forecastSquares, referenceSquares, differenceSquares);
  for (let index = 0; index < found.length; index++) {
    const isExtreme = index === MIN || index === MAX;
    sums[at + 2 * index] = found[index] ?? NaN;
    sums[at + 2 * index + 1] = isExtreme ? (found[index] ?? NaN) : 0;
  }
}
