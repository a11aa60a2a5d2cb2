import { describe, expect, it } from 'vitest';
import { squaresAboutMean, squaresAboutZero } from '../../src/scoring/shifted-squares.ts';

describe('sums of squares that were taken about a shift', () => {
  // 3, 5 and 7 about 3: 0, 2 and 4.
  const values = { count: 3, shift: 3, sum: 6, squares: 20 };

  it('become sums about the mean', () => {
    expect(squaresAboutMean(values)).toBe(8);
  });

  it('become sums about zero', () => {
    expect(squaresAboutZero(values)).toBe(9 + 25 + 49);
  });

  it('are never negative, whatever was rounded', () => {
    expect(squaresAboutMean({ count: 3, sum: 0.3, squares: 0.03 - 1e-18 })).toBe(0);
    expect(squaresAboutZero({ count: 2, shift: 0, sum: 0, squares: 0 })).toBe(0);
  });
});
