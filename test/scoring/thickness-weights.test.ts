import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thicknessWeights } from '#scoring/thickness-weights';

const LEVELS = [50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000];

describe('thicknessWeights', () => {
  it('the thicknesses of the thirteen levels are 25 to 125 of 950 hPa (test vector 8)', () => {
    const expected = [25, 50, 50, 50, 50, 75, 100, 100, 100, 125, 112.5, 75, 37.5];
    const weights = thicknessWeights(LEVELS);
    weights.forEach((weight, level) => expect(weight * 950).toBeCloseTo(expected[level] ?? NaN, 9));
    expect(weights.map((weight) => Number(weight.toFixed(6)))).toEqual([
      0.026316, 0.052632, 0.052632, 0.052632, 0.052632, 0.078947, 0.105263, 0.105263, 0.105263, 0.131579,
      0.118421, 0.078947, 0.039474,
    ]);
  });

  it('the weights are in the order of the given levels, so that a surface-first store gets the same', () => {
    expect(thicknessWeights(LEVELS.toReversed())).toEqual(thicknessWeights(LEVELS).reverse());
  });

  it('a single level weighs 1 and two levels weigh one half each', () => {
    expect(thicknessWeights([500])).toEqual([1]);
    expect(thicknessWeights([850, 500])).toEqual([0.5, 0.5]);
  });

  it('the weights of any set of levels sum to 1', () => {
    const levels = fc.uniqueArray(fc.integer({ min: 1, max: 1100 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(levels, (pressures) => {
        const weights = thicknessWeights(pressures);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        expect(Math.min(...weights)).toBeGreaterThan(0);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it.each([
    [[], /got none/],
    [[500, NaN], /got NaN/],
    [[-500], /got -500/],
    [[0], /got 0/],
    [[500, 850, 500], /distinct levels/],
  ])('the levels %j are a RangeError', (levels, message) => {
    expect(() => thicknessWeights(levels)).toThrow(RangeError);
    expect(() => thicknessWeights(levels)).toThrow(message);
  });
});
