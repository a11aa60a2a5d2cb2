import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thicknessWeights } from '#scoring/thickness-weights';

const LEVELS = [50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000];

describe('thicknessWeights', () => {
  it('thicknessWeights, test vector 8: weighs the thirteen levels by 25 to 125 of 950 hPa', () => {
    const expected = [25, 50, 50, 50, 50, 75, 100, 100, 100, 125, 112.5, 75, 37.5];
    const weights = thicknessWeights(LEVELS);
    weights.forEach((weight, level) => expect(weight * 950).toBeCloseTo(expected[level] ?? NaN, 9));
    expect(weights.map((weight) => Number(weight.toFixed(6)))).toEqual([
      0.026316, 0.052632, 0.052632, 0.052632, 0.052632, 0.078947, 0.105263, 0.105263, 0.105263, 0.131579,
      0.118421, 0.078947, 0.039474,
    ]);
  });

  it('thicknessWeights gives the weights in the order of the levels, so that a surface-first store is weighed alike', () => {
    expect(thicknessWeights(LEVELS.toReversed())).toEqual(thicknessWeights(LEVELS).reverse());
  });

  it('thicknessWeights gives a single level all the weight and two levels half each', () => {
    expect(thicknessWeights([500])).toEqual([1]);
    expect(thicknessWeights([850, 500])).toEqual([0.5, 0.5]);
  });

  it('thicknessWeights adds up to 1 for any set of levels', () => {
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
  ])('thicknessWeights refuses levels %j, for a weight of them would mean nothing', (levels, message) => {
    expect(() => thicknessWeights(levels)).toThrow(RangeError);
    expect(() => thicknessWeights(levels)).toThrow(message);
  });
});
