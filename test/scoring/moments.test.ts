import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinMoments, meanSquareAround, NO_MOMENTS, type Moments } from '#scoring/moments';

const one = (mean: number, weight = 1): Moments => ({ weight, mean, squares: 0 });
const joined = (values: readonly number[]) =>
  values.map((value) => one(value)).reduce(joinMoments, NO_MOMENTS);

describe('joinMoments', () => {
  it('merging single values gives their mean and sum of squares', () => {
    expect(joined([2, 4, 9])).toEqual({ weight: 3, mean: 5, squares: 26 });
  });

  it('a sample without weight leaves the merged moments unchanged, whatever its mean', () => {
    const sample = joined([1, 2]);
    expect(joinMoments(sample, one(1e9, 0))).toBe(sample);
    expect(joinMoments(NO_MOMENTS, sample)).toEqual(sample);
  });

  it('the merged moments are the same for every split of a sample', () => {
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
  it('the mean square is the variance plus the squared distance of the centre from the mean', () => {
    const moments = joined([1, 3]);
    expect(meanSquareAround(moments, 2)).toBe(1);
    expect(meanSquareAround(moments, 0)).toBe(5);
  });

  it('the mean square keeps full precision where the mean is far from zero', () => {
    expect(meanSquareAround(joined([1e9, 1e9 + 1]), 1e9 + 0.5)).toBe(0.25);
  });

  it('the mean square of an empty sample is NaN, which scores report as null', () => {
    expect(meanSquareAround(NO_MOMENTS, 0)).toBeNaN();
  });
});
