import { describe, expect, it } from 'vitest';
import { addRowSquares, meanOfSquares, NO_SQUARES } from '#scoring/mean-square';

describe('meanOfSquares', () => {
  it('each row counts with its weight times its number of points', () => {
    const first = addRowSquares(NO_SQUARES, { count: 2, sum: 8 }, 0.5);
    expect(meanOfSquares(addRowSquares(first, { count: 1, sum: 1 }, 1))).toBe(2.5);
  });

  it('the mean square is null without points and beyond the range of a double', () => {
    expect(meanOfSquares(NO_SQUARES)).toBeNull();
    expect(meanOfSquares(addRowSquares(NO_SQUARES, { count: 0, sum: 0 }, 1))).toBeNull();
    expect(meanOfSquares(addRowSquares(NO_SQUARES, { count: 1, sum: Infinity }, 1))).toBeNull();
  });
});
