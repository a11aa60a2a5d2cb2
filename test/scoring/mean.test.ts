import { describe, expect, it } from 'vitest';
import { finiteMean, finiteOrNull, finiteValues } from '#scoring/mean';

describe('finiteOrNull', () => {
  it('a finite number, including 0, is unchanged, and everything else becomes null', () => {
    expect([0, -1.5, NaN, Infinity, -Infinity, null, undefined].map(finiteOrNull)).toEqual([
      0,
      -1.5,
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('finiteMean', () => {
  it('a NaN is left out of the mean of .5 and .7 (test vector 13)', () => {
    expect(finiteMean([NaN, 0.5, 0.7])).toBeCloseTo(0.6, 12);
  });

  it('0 is a value of the mean and null is not', () => {
    expect(finiteMean([0, null, 1])).toBe(0.5);
  });

  it('the mean is null when no value is finite, neither NaN nor 0', () => {
    expect(finiteMean([])).toBeNull();
    expect(finiteMean([NaN, null, Infinity, -Infinity])).toBeNull();
  });
});

describe('finiteValues', () => {
  it('finite values keep their order', () => {
    expect(finiteValues(new Set([3, null, -1, NaN, 2]))).toEqual([3, -1, 2]);
  });
});
