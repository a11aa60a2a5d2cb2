import { describe, expect, it } from 'vitest';
import { firstSharedPoint, gridRows } from '#scoring/field-grid';

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

const six = new Float32Array(6);

describe('gridRows', () => {
  it('the points of a field divide into consecutive rows with the weight of their latitude', () => {
    const rows = gridRows({ forecast: six }, [60, 0, NaN]);
    expect(rows.map(({ start, end }) => [start, end])).toEqual([
      [0, 2],
      [2, 4],
      [4, 6],
    ]);
    expect(rows[0]?.weight).toBeCloseTo(0.5, 12);
    expect(rows[1]?.weight).toBe(1);
    expect(rows[2]?.weight).toBe(0);
  });

  it('latitudes may be a typed array, and fields may have either precision', () => {
    const rows = gridRows({ forecast: six, truth: new Float64Array(6) }, Float32Array.of(10));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ start: 0, end: 6 });
  });

  it('an absent field is not checked against the others', () => {
    expect(gridRows({ forecast: six, reference: undefined }, [0, 1])).toHaveLength(2);
  });

  it('fields of different lengths are a RangeError that names every field and its length', () => {
    expect(() => gridRows({ forecast: six, truth: six, reference: new Float32Array(4) }, [0, 1])).toThrow(
      'got forecast 6, truth 6, reference 4',
    );
  });

  it.each([
    [6, 4],
    [6, 7],
    [0, 1],
    [6, 0],
    [0, 0],
  ])('a field of %d values on %d rows is a RangeError', (values, rows) => {
    const latitudes = Array.from({ length: rows }, (_, row) => row);
    expect(() => gridRows({ forecast: new Float32Array(values) }, latitudes)).toThrow(RangeError);
  });
});
