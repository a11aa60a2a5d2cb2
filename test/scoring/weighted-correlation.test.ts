import { describe, expect, it } from 'vitest';
import { NO_COMOMENTS, weightedCorrelation, type Comoments } from '#scoring/comoments';

const pairs = (squaresX: number, squaresY: number, products: number): Comoments => ({
  weight: 4,
  meanX: 1,
  meanY: 2,
  squaresX,
  squaresY,
  products,
});

describe('weightedCorrelation', () => {
  it('the correlation is sum w xy / sqrt(sum w x^2 sum w y^2)', () => {
    expect(weightedCorrelation(pairs(4, 9, 3))).toBeCloseTo(0.5, 12);
    expect(weightedCorrelation(pairs(4, 9, -3))).toBeCloseTo(-0.5, 12);
  });

  it('a correlation that rounding pushes beyond 1 is clipped to 1', () => {
    expect(weightedCorrelation(pairs(4, 9, 6.0000001))).toBe(1);
    expect(weightedCorrelation(pairs(4, 9, -6.0000001))).toBe(-1);
  });

  it('the correlation is null where a standard deviation is below 1e-12', () => {
    expect(weightedCorrelation(pairs(0, 9, 0))).toBeNull();
    expect(weightedCorrelation(pairs(9, 0, 0))).toBeNull();
    expect(weightedCorrelation(pairs(4 * 0.9e-24, 4, 1e-12))).toBeNull();
    expect(weightedCorrelation(pairs(4 * 1.1e-24, 4, 1e-12))).not.toBeNull();
  });

  it('the correlation is null for no pairs and for sums that are not finite', () => {
    expect(weightedCorrelation(NO_COMOMENTS)).toBeNull();
    expect(weightedCorrelation(pairs(Infinity, Infinity, Infinity))).toBeNull();
    expect(weightedCorrelation(pairs(4, NaN, 1))).toBeNull();
  });
});
