import { describe, expect, it } from 'vitest';
import { levelMean, levelRmse } from '#scoring/level-aggregation';
import { thicknessWeights } from '#scoring/thickness-weights';

const weights = thicknessWeights([500, 700, 850]);

describe('levelMean', () => {
  it('the level mean is weighted by the thickness of the levels', () => {
    const expected = (100 * 0.2 + 175 * 0.4 + 75 * 0.8) / 350;
    expect(levelMean([0.2, 0.4, 0.8], weights)).toBeCloseTo(expected, 12);
  });

  it('a value that all known levels share is their mean, for any subset of levels', () => {
    expect(levelMean([0.3, null, NaN], weights)).toBeCloseTo(0.3, 12);
    expect(levelMean([0.3, 0.3, 0.3], weights)).toBeCloseTo(0.3, 12);
  });

  it('a missing level is left out of the mean, and a real 0 counts', () => {
    expect(levelMean([0.4, null, 0.4], weights)).toBeCloseTo(0.4, 12);
    expect(levelMean([0, null, 0.7], weights)).toBeCloseTo((75 * 0.7) / 175, 12);
  });

  it('the level mean is null when no level with weight is known', () => {
    expect(levelMean([null, NaN, -Infinity], weights)).toBeNull();
    expect(levelMean([], [])).toBeNull();
    expect(levelMean([1], [0])).toBeNull();
  });

  it('weights whose number differs from the values are a RangeError', () => {
    expect(() => levelMean([1, 2], weights)).toThrow(/2 values and 3 weights/);
  });
});

describe('levelRmse', () => {
  it('the level RMSE is the root of the weighted mean MSE, not the mean of the roots', () => {
    expect(levelRmse([1, 9], [0.5, 0.5])).toBeCloseTo(Math.sqrt(5), 12);
  });

  it('the level RMSE renormalises over the known levels and is null without any', () => {
    expect(levelRmse([4, null], [0.2, 0.8])).toBeCloseTo(2, 12);
    expect(levelRmse([null], [1])).toBeNull();
  });

  it('a negative mean MSE gives null', () => {
    expect(levelRmse([-1], [1])).toBeNull();
  });
});
