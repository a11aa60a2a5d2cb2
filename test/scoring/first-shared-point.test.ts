import { describe, expect, it } from 'vitest';
import { firstSharedPoint } from '#scoring/field-grid';

const first = Float64Array.of(NaN, 1, Infinity, 3, 4);
const second = Float32Array.of(0, NaN, 2, 3, 4);

describe('firstSharedPoint', () => {
  it('the first shared point of a row is the first at which all fields are finite', () => {
    expect(firstSharedPoint([first, second], { start: 0, end: 5 })).toBe(3);
    expect(firstSharedPoint([second], { start: 0, end: 5 })).toBe(0);
  });

  it('a point outside the row is never the first shared point', () => {
    expect(firstSharedPoint([first, second], { start: 4, end: 5 })).toBe(4);
    expect(firstSharedPoint([first], { start: 2, end: 3 })).toBe(2);
  });

  it('a row without a shared point yields its start, an index within bounds', () => {
    expect(firstSharedPoint([first, second], { start: 0, end: 3 })).toBe(0);
    expect(firstSharedPoint([Float64Array.of(NaN)], { start: 0, end: 1 })).toBe(0);
  });
});
