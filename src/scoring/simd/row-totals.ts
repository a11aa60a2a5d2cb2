import { ROW_SUMS, type RowSum } from './row-program.ts';

/** The sums of many rows, each row with its weight. `sums` of the extremes are meaningless. */
export interface RowTotals {
  /** Sum of the weights of all points. */
  readonly weight: number;
  readonly points: number;
  /** Sum of the errors without latitude weights. */
  readonly unweightedError: number;
  readonly forecastMin: number;
  readonly forecastMax: number;
  readonly sums: Readonly<Record<RowSum, number>>;
}

/** Accumulator of row sums. */
export interface OpenTotals {
  /** Adds the row whose sums begin at `start`. @returns false, with nothing added, where they are not finite */
  add(sums: Float64Array, start: number, row: { readonly weight: number; readonly points: number }): boolean;
  readonly totals: () => RowTotals;
}

const HALVES = 2;
const offsetOf = (name: RowSum): number => ROW_SUMS.indexOf(name) * HALVES;
const ERROR = offsetOf('error');
const ACTUAL = offsetOf('actual');
const REFERENCE_ERROR = offsetOf('referenceErrorSquares');
const MIN = offsetOf('forecastMin');
const MAX = offsetOf('forecastMax');

/** Accumulates in place: it runs for every row of every field. */
export function openTotals(): OpenTotals {
  const weighted = new Float64Array(ROW_SUMS.length);
  let [weight, points, unweightedError] = [0, 0, 0];
  let [forecastMin, forecastMax] = [Infinity, -Infinity];
  return {
    add(sums, start, row) {
      const error = sumOfHalves(sums, start + ERROR);
      if (
        !Number.isFinite(
          error + sumOfHalves(sums, start + ACTUAL) + sumOfHalves(sums, start + REFERENCE_ERROR),
        )
      )
        return false;
      for (let index = 0; index < weighted.length; index++) {
        weighted[index] = (weighted[index] ?? 0) + row.weight * sumOfHalves(sums, start + index * HALVES);
      }
      weight += row.weight * row.points;
      points += row.points;
      unweightedError += error;
      forecastMin = Math.min(forecastMin, sums[start + MIN] ?? NaN, sums[start + MIN + 1] ?? NaN);
      forecastMax = Math.max(forecastMax, sums[start + MAX] ?? NaN, sums[start + MAX + 1] ?? NaN);
      return true;
    },
    totals: () => {
      const sums = Object.fromEntries(ROW_SUMS.map((name, index) => [name, weighted[index] ?? NaN]));
      return { weight, points, unweightedError, forecastMin, forecastMax, sums: sums as RowTotals['sums'] };
    },
  };
}

const sumOfHalves = (sums: Float64Array, at: number): number => (sums[at] ?? NaN) + (sums[at + 1] ?? NaN);
