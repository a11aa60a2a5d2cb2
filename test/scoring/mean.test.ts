import { describe, expect, it } from 'vitest';
import { finiteMean, finiteValues } from '#scoring/mean';

describe('finiteMean', () => {
  it('finiteMean, test vector 13: one NaN does not poison the mean of .5 and .7', () => {
    expect(finiteMean([NaN, 0.5, 0.7])).toBeCloseTo(0.6, 12);
  });

  it('finiteMean counts 0 as a value and null as none', () => {
    expect(finiteMean([0, null, 1])).toBe(0.5);
  });

  it('finiteMean is unknown when nothing is finite, neither NaN nor 0', () => {
    expect(finiteMean([])).toBeNull();
    expect(finiteMean([NaN, null, Infinity, -Infinity])).toBeNull();
  });
});

describe('finiteValues', () => {
  it('finiteValues keeps the order of what is finite', () => {
    expect(finiteValues(new Set([3, null, -1, NaN, 2]))).toEqual([3, -1, 2]);
  });
});
