import { describe, expect, it } from 'vitest';
import { gridRows } from '#scoring/field-grid';
import { measureReference } from '#scoring/field-reference';
import { meanOfSquares } from '#scoring/mean-square';
import { field } from './support/field.ts';

function measure(forecast: Float64Array, truth: Float64Array, reference: Float64Array, latitudes = [0, 60]) {
  return measureReference(
    { forecast, truth, reference },
    gridRows({ forecast, truth, reference }, latitudes),
  );
}

describe('measureReference', () => {
  it('distance (f - r)^2 and reference error (r - o)^2 are weighted with cos(latitude)', () => {
    const measured = measure(field(3, 3, 5, 5), field(0, 0, 0, 0), field(1, 1, 4, 4));
    expect(meanOfSquares(measured.distance)).toBeCloseTo((4 + 4 + 0.5 * 2) / 3, 12);
    expect(meanOfSquares(measured.referenceError)).toBeCloseTo((1 + 1 + 0.5 * 32) / 3, 12);
    expect(measured.patterns.meanX).toBeCloseTo((6 + 0.5 * 10) / 3, 12);
    expect(measured.patterns.meanY).toBeCloseTo((2 + 0.5 * 8) / 3, 12);
  });

  it('a gap of the truth does not exclude a point from the clone distance', () => {
    const measured = measure(field(7, 8), field(NaN, NaN), field(7, 8), [0]);
    expect(meanOfSquares(measured.distance)).toBe(0);
    expect(measured.patterns.weight).toBe(2);
    expect(meanOfSquares(measured.referenceError)).toBeNull();
  });

  it('a gap of the forecast does not exclude a point from the reference error', () => {
    const measured = measure(field(NaN, 2), field(0, 0), field(3, 1), [0]);
    expect(meanOfSquares(measured.referenceError)).toBe(5);
    expect(meanOfSquares(measured.distance)).toBe(1);
  });

  it('a reference without values yields the identity element', () => {
    const measured = measure(field(1, 2), field(1, 2), field(NaN, Infinity), [0]);
    expect(measured.patterns.weight).toBe(0);
    expect(meanOfSquares(measured.distance)).toBeNull();
    expect(meanOfSquares(measured.referenceError)).toBeNull();
  });

  it('a row of weight 0 does not count in distance and reference error', () => {
    const measured = measure(field(1, 9), field(0, 0), field(1, 3), [0, NaN]);
    expect(meanOfSquares(measured.distance)).toBe(0);
    expect(meanOfSquares(measured.referenceError)).toBe(1);
  });
});
