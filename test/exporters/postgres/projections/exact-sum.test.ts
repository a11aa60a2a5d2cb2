import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addToSum,
  fromSumDraft,
  emptySum,
  meanOf,
  meanWithin,
  toSumDraft,
  replaceInSum,
  standardDeviationOf,
  totalOf,
} from '#postgres/projections/exact-sum';

function sumOf(values: readonly (number | null)[]) {
  const draft = toSumDraft(emptySum);
  for (const value of values) addToSum(draft, value);
  return fromSumDraft(draft);
}
const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('ExactSum', () => {
  it('a sum is the same to the last bit for any order of its terms', () => {
    expect(0.1 + 0.2 + 0.3).not.toBe(0.3 + 0.2 + 0.1);
    fc.assert(
      fc.property(
        fc
          .array(value, { maxLength: 30 })
          .chain((terms) =>
            fc.tuple(
              fc.constant(terms),
              fc.shuffledSubarray(terms, { minLength: terms.length, maxLength: terms.length }),
            ),
          ),
        ([terms, shuffled]) => {
          expect(sumOf(shuffled)).toEqual(sumOf(terms));
        },
      ),
      { seed: 1 },
    );
  });

  it('a term added and subtracted leaves the sum unchanged', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), value, (terms, term) => {
        const before = sumOf(terms);
        const draft = toSumDraft(before);
        addToSum(draft, term);
        addToSum(draft, term, -1);
        expect(fromSumDraft(draft)).toEqual(before);
      }),
      { seed: 2 },
    );
  });

  it('a draft continues a stored sum, which stays unchanged', () => {
    const kept = sumOf([0.1, -0.7, 1e5]);
    const draft = toSumDraft(kept);
    addToSum(draft, 0.3);
    replaceInSum(draft, -0.7, 0.2);
    replaceInSum(draft, 0.2, null);
    replaceInSum(draft, 1e5, 1e5);
    expect(fromSumDraft(draft)).toEqual(sumOf([0.1, 1e5, 0.3]));
    expect(kept).toEqual(sumOf([0.1, -0.7, 1e5]));
  });

  it('a sum gives the mean and the sample standard deviation of its terms', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 }),
        (terms) => {
          const mean = terms.reduce((sum, term) => sum + term, 0) / terms.length;
          const squares = terms.reduce((sum, term) => sum + (term - mean) ** 2, 0);
          const total = sumOf(terms);
          expect(meanOf(total)).toBeCloseTo(mean, 9);
          expect(standardDeviationOf(total)).toBeCloseTo(Math.sqrt(squares / (terms.length - 1)), 9);
        },
      ),
      { seed: 3 },
    );
  });

  it('a mean within the least and the greatest term leaves neither, as many equal terms as there may be', () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true });
    const terms = fc.oneof(
      fc.array(score, { minLength: 1, maxLength: 20 }),
      fc
        .tuple(score, fc.integer({ min: 1, max: 20 }))
        .map(([term, count]) => Array<number>(count).fill(term)),
    );
    fc.assert(
      fc.property(terms, (values) => {
        const [least, greatest] = [Math.min(...values), Math.max(...values)];
        const mean = meanWithin(sumOf(values), least, greatest);
        expect(mean).toBeGreaterThanOrEqual(least);
        expect(mean).toBeLessThanOrEqual(greatest);
        expect(Math.abs((mean ?? 0) - (meanOf(sumOf(values)) ?? 0))).toBeLessThanOrEqual(1e-12);
      }),
      { seed: 4 },
    );
  });

  it('a mean of scores of 0 to 1 stays within 0 and 1 without knowing its terms', () => {
    const bound = fc.constantFrom(0, 1, 1 - 2 ** -53, 2 ** -60);
    fc.assert(
      fc.property(fc.array(bound, { minLength: 1, maxLength: 30 }), (values) => {
        const mean = meanOf(sumOf(values));
        expect(mean).toBeGreaterThanOrEqual(0);
        expect(mean).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('tenths add up exactly', () => {
    const total = sumOf([0.1, 0.2, 0.3, 0.4]);
    expect([totalOf(total), meanOf(total), total.count]).toEqual([1, 0.25, 4]);
  });

  it('a sum holds values beyond the integers of a double', () => {
    expect(totalOf({ ...emptySum, sum: (10n ** 18n * 3n).toString() })).toBe(3_000_000);
  });

  it('0.0 counts as a value, and null, NaN and infinities do not (test vector 13)', () => {
    expect(sumOf([0, null]).count).toBe(1);
    expect(meanOf(sumOf([NaN, 0.5, 0.7]))).toBe(0.6);
    expect(sumOf([Infinity, -Infinity, 1e300])).toEqual(emptySum);
    expect(sumOf([-0])).toEqual(sumOf([0]));
  });

  it('the mean of no value and the deviation of fewer than two are null', () => {
    expect([meanOf(emptySum), standardDeviationOf(emptySum), standardDeviationOf(sumOf([0.5]))]).toEqual([
      null,
      null,
      null,
    ]);
    expect(standardDeviationOf(sumOf([0.3, 0.3, 0.3]))).toBe(0);
  });
});
