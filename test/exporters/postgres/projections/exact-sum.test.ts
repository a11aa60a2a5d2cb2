import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addToSum,
  closeSum,
  emptySum,
  meanOf,
  openSum,
  replaceInSum,
  standardDeviationOf,
  totalOf,
} from '#postgres/projections/exact-sum';

function sumOf(values: readonly (number | null)[]) {
  const draft = openSum(emptySum);
  for (const value of values) addToSum(draft, value);
  return closeSum(draft);
}
const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('a sum that does not depend on the order', () => {
  it('a sum that does not depend on the order is the same to the last bit for any order of its terms, where doubles are not', () => {
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

  it('a sum that does not depend on the order is what it was before when a term is added and taken away again', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), value, (terms, term) => {
        const before = sumOf(terms);
        const draft = openSum(before);
        addToSum(draft, term);
        addToSum(draft, term, -1);
        expect(closeSum(draft)).toEqual(before);
      }),
      { seed: 2 },
    );
  });

  it('a sum that does not depend on the order goes on from a sum that was kept, which stays as it is', () => {
    const kept = sumOf([0.1, -0.7, 1e5]);
    const draft = openSum(kept);
    addToSum(draft, 0.3);
    replaceInSum(draft, -0.7, 0.2);
    replaceInSum(draft, 0.2, null);
    replaceInSum(draft, 1e5, 1e5);
    expect(closeSum(draft)).toEqual(sumOf([0.1, 1e5, 0.3]));
    expect(kept).toEqual(sumOf([0.1, -0.7, 1e5]));
  });

  it('a sum that does not depend on the order has the mean and the sample standard deviation of its terms', () => {
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

  it('a sum that does not depend on the order is exact where it says so: tenths add up to tenths', () => {
    const total = sumOf([0.1, 0.2, 0.3, 0.4]);
    expect([totalOf(total), meanOf(total), total.count]).toEqual([1, 0.25, 4]);
  });

  it('a sum that does not depend on the order holds a sum that a double could not count one by one', () => {
    expect(totalOf({ ...emptySum, sum: (10n ** 18n * 3n).toString() })).toBe(3_000_000);
  });

  it('a sum that does not depend on the order takes 0.0 for a value, and null, NaN and infinities for none (test vector 13)', () => {
    expect(sumOf([0, null]).count).toBe(1);
    expect(meanOf(sumOf([NaN, 0.5, 0.7]))).toBe(0.6);
    expect(sumOf([Infinity, -Infinity, 1e300])).toEqual(emptySum);
    expect(sumOf([-0])).toEqual(sumOf([0]));
  });

  it('a sum that does not depend on the order has no mean without a value and no deviation below two, rather than 0 or NaN', () => {
    expect([meanOf(emptySum), standardDeviationOf(emptySum), standardDeviationOf(sumOf([0.5]))]).toEqual([
      null,
      null,
      null,
    ]);
    expect(standardDeviationOf(sumOf([0.3, 0.3, 0.3]))).toBe(0);
  });
});
