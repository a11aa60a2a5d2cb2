import { describe, expect, it } from 'vitest';
import { gridRows } from '#scoring/field-grid';
import { measureReference } from '#scoring/field-reference';
import { meanOfSquares } from '#scoring/mean-square';

const field = (...values: number[]) => Float64Array.from(values);

function measure(forecast: Float64Array, truth: Float64Array, reference: Float64Array, latitudes = [0, 60]) {
  return measureReference(
    { forecast, truth, reference },
    gridRows({ forecast, truth, reference }, latitudes),
  );
}

describe('measureReference', () => {
  it('measureReference measures the distance of the forecast and the error of the reference, weighted by latitude', () => {
    const measured = measure(field(3, 3, 5, 5), field(0, 0, 0, 0), field(1, 1, 4, 4));
    expect(meanOfSquares(measured.distance)).toBeCloseTo((4 + 4 + 0.5 * 2) / 3, 12);
    expect(meanOfSquares(measured.referenceError)).toBeCloseTo((1 + 1 + 0.5 * 32) / 3, 12);
    expect(measured.patterns.meanX).toBeCloseTo((6 + 0.5 * 10) / 3, 12);
    expect(measured.patterns.meanY).toBeCloseTo((2 + 0.5 * 8) / 3, 12);
  });

  it('measureReference compares forecast and reference where the truth has a gap, so that a copy cannot hide there', () => {
    const measured = measure(field(7, 8), field(NaN, NaN), field(7, 8), [0]);
    expect(meanOfSquares(measured.distance)).toBe(0);
    expect(measured.patterns.weight).toBe(2);
    expect(meanOfSquares(measured.referenceError)).toBeNull();
  });

  it('measureReference measures the reference where the forecast has a gap, so that a gap does not ease the comparison', () => {
    const measured = measure(field(NaN, 2), field(0, 0), field(3, 1), [0]);
    expect(meanOfSquares(measured.referenceError)).toBe(5);
    expect(meanOfSquares(measured.distance)).toBe(1);
  });

  it('measureReference knows nothing of a reference without values', () => {
    const measured = measure(field(1, 2), field(1, 2), field(NaN, Infinity), [0]);
    expect(measured.patterns.weight).toBe(0);
    expect(meanOfSquares(measured.distance)).toBeNull();
    expect(meanOfSquares(measured.referenceError)).toBeNull();
  });

  it('measureReference passes over rows without weight', () => {
    const measured = measure(field(1, 9), field(0, 0), field(1, 3), [0, NaN]);
    expect(meanOfSquares(measured.distance)).toBe(0);
    expect(meanOfSquares(measured.referenceError)).toBe(1);
  });
});
