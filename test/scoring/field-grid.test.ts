import { describe, expect, it } from 'vitest';
import { gridRows } from '#scoring/field-grid';

const six = new Float32Array(6);

describe('gridRows', () => {
  it('gridRows divides the points into rows that follow each other, each with the weight of its latitude', () => {
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

  it('gridRows accepts latitudes as a typed array and fields of both precisions', () => {
    const rows = gridRows({ forecast: six, truth: new Float64Array(6) }, Float32Array.of(10));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ start: 0, end: 6 });
  });

  it('gridRows does not count a field that is not given', () => {
    expect(gridRows({ forecast: six, reference: undefined }, [0, 1])).toHaveLength(2);
  });

  it('gridRows names every field and its length when they differ, so that the wrong one is found at once', () => {
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
  ])('gridRows refuses %d values on %d rows', (values, rows) => {
    const latitudes = Array.from({ length: rows }, (_, row) => row);
    expect(() => gridRows({ forecast: new Float32Array(values) }, latitudes)).toThrow(RangeError);
  });
});
