import { describe, expect, it } from 'vitest';
import { openTotals } from '#scoring/simd/row-totals';
import { sumsToMoments } from '#scoring/sums-to-moments';
import { ROW_SUMS, type RowSum } from '#scoring/simd/row-program';

/** Sums of one row in the layout of the kernel: all in the first half, the extremes in both. */
function rowOf(sums: Partial<Record<RowSum, number>>): Float64Array {
  return Float64Array.from(
    ROW_SUMS.flatMap((name) => {
      const sum = sums[name] ?? 0;
      return name.startsWith('forecastM') ? [sum, sum] : [sum, 0];
    }),
  );
}
// Errors 1 and 3; truth is the climatology; forecast and reference are 0 and 2 above the typical value.
const row = rowOf({
  ...{ error: 4, errorSquares: 10, absoluteError: 4, anomalySquares: 10 },
  ...{ forecastMin: 5, forecastMax: 7, referenceErrorSquares: 10 },
  ...{ forecast: 2, reference: 2, forecastSquares: 4, referenceSquares: 4 },
});

describe('openTotals', () => {
  it('row weights apply to the sums, but not to the unweighted error', () => {
    const open = openTotals();
    expect(open.add(row, 0, { weight: 0.5, points: 2 })).toBe(true);
    expect(open.add(row, 0, { weight: 0, points: 2 })).toBe(true);
    const totals = open.totals();
    expect(totals).toMatchObject({
      weight: 1,
      points: 4,
      unweightedError: 8,
      forecastMin: 5,
      forecastMax: 7,
    });
    expect(totals.sums).toMatchObject({ error: 2, errorSquares: 5, absoluteError: 2 });
  });

  it.each(['error', 'actual', 'referenceErrorSquares'] as const)(
    'a row whose %s is not finite is rejected and not added',
    (name) => {
      const open = openTotals();
      for (const sum of [NaN, Infinity]) {
        expect(open.add(rowOf({ [name]: sum }), 0, { weight: 1, points: 2 })).toBe(false);
      }
      expect(open.totals()).toMatchObject({ weight: 0, points: 0, forecastMin: Infinity });
    },
  );
});

describe('sumsToMoments', () => {
  const momentsWith = (changes: Partial<Record<RowSum, number>> = {}) => {
    const open = openTotals();
    open.add(row, 0, { weight: 1, points: 2 });
    const totals = open.totals();
    return sumsToMoments({ ...totals, sums: { ...totals.sums, ...changes } }, 280);
  };

  it('raw sums become moments of the errors and comoments shifted back by the typical value', () => {
    expect(momentsWith()?.errors).toMatchObject({
      errors: { weight: 2, mean: 2, squares: 2 },
      ...{ unweightedMean: 2, sharedPoints: 2, truthOnlyPoints: 0, absoluteSum: 4 },
    });
    expect(momentsWith()?.reference).toEqual({
      patterns: { weight: 2, meanX: 281, meanY: 281, squaresX: 2, squaresY: 2, products: 2 },
      distance: { weight: 2, sum: 0 },
      referenceError: { weight: 2, sum: 10 },
    });
  });

  it('sums whose squares about the mean are lost to cancellation give null', () => {
    expect(momentsWith({ errorSquares: 8.0001 })).toBeNull();
    expect(momentsWith({ forecastSquares: 2.0001 })).toBeNull();
    expect(momentsWith({ actual: 1, actualSquares: 0.5 })).toBeNull();
  });
});
