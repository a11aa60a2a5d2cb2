import { ROW_SUMS, type RowSum } from './row-program.ts';

/** The sums of many rows, each row with its weight. Weighted extremes mean nothing. */
export interface RowTotals {
  /** Points, each with its weight. */
  readonly weight: number;
  readonly points: number;
  /** Sum of the errors in which every point counts the same. */
  readonly unweightedError: number;
  readonly forecastMin: number;
  readonly forecastMax: number;
  readonly sums: Readonly<Record<RowSum, number>>;
}

/** Totals that are still being summed. */
export interface OpenTotals {
  /** Adds a row, whose sums begin at a place of the kernel's; false, and nothing is added, where they are not finite. */
  add(sums: Float64Array, start: number, row: { readonly weight: number; readonly points: number }): boolean;
  readonly totals: () => RowTotals;
}

const HALVES = 2;
const placeOf = (name: RowSum): number => ROW_SUMS.indexOf(name) * HALVES;
const ERROR = placeOf('error');
const ACTUAL = placeOf('actual');
const REFERENCE_ERROR = placeOf('referenceErrorSquares');
const MIN = placeOf('forecastMin');
const MAX = placeOf('forecastMax');

/** Adds rows up in place: it is done for every row of every field. */
export function openTotals(): OpenTotals {
  const weighted = new Float64Array(ROW_SUMS.length);
  let [weight, points, unweightedError] = [0, 0, 0];
  let [forecastMin, forecastMax] = [Infinity, -Infinity];
  return {
    add(sums, start, row) {
      const error = both(sums, start + ERROR);
      if (!Number.isFinite(error + both(sums, start + ACTUAL) + both(sums, start + REFERENCE_ERROR)))
        return false;
      for (let index = 0; index < weighted.length; index++) {
        weighted[index] = (weighted[index] ?? 0) + row.weight * both(sums, start + index * HALVES);
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

const both = (sums: Float64Array, at: number): number => (sums[at] ?? NaN) + (sums[at + 1] ?? NaN);
