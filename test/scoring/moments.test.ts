import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinMoments, meanSquareAround, NO_MOMENTS, type Moments } from '#scoring/moments';

const one = (mean: number, weight = 1): Moments => ({ weight, mean, squares: 0 });
const joined = (values: readonly number[]) =>
  values.map((value) => one(value)).reduce(joinMoments, NO_MOMENTS);

describe('joinMoments', () => {
  it('joinMoments builds mean and squares from single values', () => {
    expect(joined([2, 4, 9])).toEqual({ weight: 3, mean: 5, squares: 26 });
  });

  it('joinMoments ignores a part without weight, whatever its mean claims', () => {
    const sample = joined([1, 2]);
    expect(joinMoments(sample, one(1e9, 0))).toBe(sample);
    expect(joinMoments(NO_MOMENTS, sample)).toEqual(sample);
  });

  it('joinMoments gives the same for every way of splitting a sample', () => {
    const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.nat(), (sample, cut) => {
        const at = cut % sample.length;
        const whole = joined(sample);
        const halves = joinMoments(joined(sample.slice(0, at)), joined(sample.slice(at)));
        expect(halves.weight).toBe(whole.weight);
        expect(halves.mean).toBeCloseTo(whole.mean, 8);
        expect(halves.squares / 1e6).toBeCloseTo(whole.squares / 1e6, 8);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('meanSquareAround', () => {
  it('meanSquareAround is the variance about the mean and grows by the square of the distance from it', () => {
    const moments = joined([1, 3]);
    expect(meanSquareAround(moments, 2)).toBe(1);
    expect(meanSquareAround(moments, 0)).toBe(5);
  });

  it('meanSquareAround keeps the last digit where the mean is far from zero', () => {
    expect(meanSquareAround(joined([1e9, 1e9 + 1]), 1e9 + 0.5)).toBe(0.25);
  });

  it('meanSquareAround is not a number for an empty sample, which scores report as unknown', () => {
    expect(meanSquareAround(NO_MOMENTS, 0)).toBeNaN();
  });
});
