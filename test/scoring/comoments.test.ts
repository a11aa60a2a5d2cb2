import { describe, expect, it } from 'vitest';
import { comomentsOfRow, joinComoments, NO_COMOMENTS, type ShiftedSums } from '#scoring/comoments';

const sumsOf = (
  pairs: readonly (readonly [number, number])[],
  [shiftX, shiftY]: [number, number],
): ShiftedSums => {
  const sums = { count: 0, shiftX, shiftY, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };
  for (const [x, y] of pairs) {
    const [dx, dy] = [x - shiftX, y - shiftY];
    sums.count++;
    sums.x += dx;
    sums.y += dy;
    sums.xx += dx * dx;
    sums.yy += dy * dy;
    sums.xy += dx * dy;
  }
  return sums;
};
const pairs = [
  [1, 10],
  [2, 8],
  [6, 3],
] as const;

describe('comomentsOfRow', () => {
  it('the sums of a row become means, squares and products scaled by the weight of the row', () => {
    expect(comomentsOfRow(sumsOf(pairs, [1, 10]), 2)).toEqual({
      weight: 6,
      meanX: 3,
      meanY: 7,
      squaresX: 28,
      squaresY: 52,
      products: -38,
    });
  });

  it('the comoments of a row do not depend on the shift of its sums', () => {
    expect(comomentsOfRow(sumsOf(pairs, [6, 3]), 1)).toEqual(comomentsOfRow(sumsOf(pairs, [2, 8]), 1));
  });

  it('the comoments of a row without pairs are the identity element, not NaN', () => {
    expect(comomentsOfRow(sumsOf([], [0, 0]), 1)).toBe(NO_COMOMENTS);
  });
});

describe('joinComoments', () => {
  it('merging two rows equals the comoments of one row with all their pairs', () => {
    const first = comomentsOfRow(sumsOf(pairs.slice(0, 1), [1, 10]), 1);
    const second = comomentsOfRow(sumsOf(pairs.slice(1), [2, 8]), 1);
    const whole = comomentsOfRow(sumsOf(pairs, [1, 10]), 1);
    const joined = joinComoments(first, second);
    for (const name of ['weight', 'meanX', 'meanY', 'squaresX', 'squaresY', 'products'] as const) {
      expect(joined[name], name).toBeCloseTo(whole[name], 12);
    }
  });

  it('a sample without weight leaves the merged comoments unchanged', () => {
    const sample = comomentsOfRow(sumsOf(pairs, [1, 10]), 1);
    expect(joinComoments(sample, { ...sample, weight: 0, meanX: NaN })).toBe(sample);
    expect(joinComoments(NO_COMOMENTS, sample)).toEqual(sample);
  });
});
