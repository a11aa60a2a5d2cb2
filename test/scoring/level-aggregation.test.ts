import { describe, expect, it } from 'vitest';
import { levelMean, levelRmse } from '#scoring/level-aggregation';
import { thicknessWeights } from '#scoring/thickness-weights';

const weights = thicknessWeights([500, 700, 850]);

describe('levelMean', () => {
  it('levelMean weighs levels by their thickness', () => {
    const expected = (100 * 0.2 + 175 * 0.4 + 75 * 0.8) / 350;
    expect(levelMean([0.2, 0.4, 0.8], weights)).toBeCloseTo(expected, 12);
  });

  it('levelMean keeps a value that all levels share, whichever of them are known', () => {
    expect(levelMean([0.3, null, NaN], weights)).toBeCloseTo(0.3, 12);
    expect(levelMean([0.3, 0.3, 0.3], weights)).toBeCloseTo(0.3, 12);
  });

  it('levelMean leaves a missing level out instead of counting it 0, and counts a real 0', () => {
    expect(levelMean([0.4, null, 0.4], weights)).toBeCloseTo(0.4, 12);
    expect(levelMean([0, null, 0.7], weights)).toBeCloseTo((75 * 0.7) / 175, 12);
  });

  it('levelMean is unknown when no level with weight is', () => {
    expect(levelMean([null, NaN, -Infinity], weights)).toBeNull();
    expect(levelMean([], [])).toBeNull();
    expect(levelMean([1], [0])).toBeNull();
  });

  it('levelMean refuses weights of other levels', () => {
    expect(() => levelMean([1, 2], weights)).toThrow(/2 values and 3 weights/);
  });
});

describe('levelRmse', () => {
  it('levelRmse is the root of the mean square, which is more than the mean of the roots', () => {
    expect(levelRmse([1, 9], [0.5, 0.5])).toBeCloseTo(Math.sqrt(5), 12);
  });

  it('levelRmse renormalises over the known levels and is unknown without any', () => {
    expect(levelRmse([4, null], [0.2, 0.8])).toBeCloseTo(2, 12);
    expect(levelRmse([null], [1])).toBeNull();
  });

  it('levelRmse does not turn a negative mean square into a number', () => {
    expect(levelRmse([-1], [1])).toBeNull();
  });
});
