import { describe, expect, it } from 'vitest';
import { NO_COMOMENTS, type Comoments } from '#scoring/comoments';
import { weightedCorrelation } from '#scoring/weighted-correlation';

const pairs = (squaresX: number, squaresY: number, products: number): Comoments => ({
  weight: 4,
  meanX: 1,
  meanY: 2,
  squaresX,
  squaresY,
  products,
});

describe('weightedCorrelation', () => {
  it('weightedCorrelation divides the products by both spreads', () => {
    expect(weightedCorrelation(pairs(4, 9, 3))).toBeCloseTo(0.5, 12);
    expect(weightedCorrelation(pairs(4, 9, -3))).toBeCloseTo(-0.5, 12);
  });

  it('weightedCorrelation clips what rounding pushes beyond 1, for a correlation above 1 would earn more than a perfect score', () => {
    expect(weightedCorrelation(pairs(4, 9, 6.0000001))).toBe(1);
    expect(weightedCorrelation(pairs(4, 9, -6.0000001))).toBe(-1);
  });

  it('weightedCorrelation is unknown where a field is constant, down to a standard deviation of 1e-12', () => {
    expect(weightedCorrelation(pairs(0, 9, 0))).toBeNull();
    expect(weightedCorrelation(pairs(9, 0, 0))).toBeNull();
    expect(weightedCorrelation(pairs(4 * 0.9e-24, 4, 1e-12))).toBeNull();
    expect(weightedCorrelation(pairs(4 * 1.1e-24, 4, 1e-12))).not.toBeNull();
  });

  it('weightedCorrelation is unknown for no pairs and for sums that are not finite', () => {
    expect(weightedCorrelation(NO_COMOMENTS)).toBeNull();
    expect(weightedCorrelation(pairs(Infinity, Infinity, Infinity))).toBeNull();
    expect(weightedCorrelation(pairs(4, NaN, 1))).toBeNull();
  });
});
