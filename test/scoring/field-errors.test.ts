import { describe, expect, it } from 'vitest';
import { measureErrors } from '#scoring/field-errors';
import { gridRows } from '#scoring/field-grid';
import { field } from './support/field.ts';

function measure(forecast: Float64Array, truth: Float64Array, latitudes: number[]) {
  return measureErrors({ forecast, truth }, gridRows({ forecast, truth }, latitudes));
}

describe('measureErrors', () => {
  it('row weights apply to moments and absolute sum, but not to the unweighted mean', () => {
    const { errors, absoluteSum, unweightedMean } = measure(field(2, 2, -1, -1), field(0, 0, 0, 0), [60, 0]);
    expect(errors.weight).toBeCloseTo(3, 12);
    expect(errors.mean).toBeCloseTo(0, 12);
    expect(absoluteSum).toBeCloseTo(4, 12);
    expect(unweightedMean).toBeCloseTo(0.5, 12);
  });

  it('a constant error has a variance of exactly 0 for any division into rows', () => {
    const truth = field(271.3, 280.9, 290.1, 260.7, 250.3, 240.2);
    const forecast = truth.map((value) => Math.fround(value) + 3);
    const exact = measure(forecast, truth.map(Math.fround), [80, 10, -45]);
    expect(exact.errors).toMatchObject({ mean: 3, squares: 0 });
    expect(exact.unweightedMean).toBe(3);
  });

  it('a gap of the forecast counts as truth-only point, a gap of the truth does not', () => {
    const measured = measure(field(1, NaN, 3, NaN), field(1, 2, NaN, NaN), [0]);
    expect(measured).toMatchObject({ sharedPoints: 1, truthOnlyPoints: 1 });
  });

  it('extremes include forecast values at points without a truth', () => {
    const measured = measure(field(5, 99, -99, Infinity), field(5, NaN, NaN, 1), [0]);
    expect(measured).toMatchObject({ forecastMin: -99, forecastMax: 99 });
  });

  it('an outlier as first value of a row, its shift, does not cost precision', () => {
    const truth = new Float64Array(1000);
    const forecast = Float64Array.from(truth, (_, index) => (index === 0 ? 1e6 : index % 2));
    const { errors } = measure(forecast, truth, [0]);
    const mean = (1e6 + 500) / 1000;
    const squares = (1e6 - mean) ** 2 + 499 * mean ** 2 + 500 * (1 - mean) ** 2;
    expect(errors.mean / mean).toBeCloseTo(1, 12);
    expect(errors.squares / squares).toBeCloseTo(1, 12);
  });

  it('a field without pairs has moments of weight 0', () => {
    const measured = measure(field(NaN, 1), field(1, NaN), [0, 0]);
    expect(measured.errors).toEqual({ weight: 0, mean: 0, squares: 0 });
    expect(measured).toMatchObject({ absoluteSum: 0, sharedPoints: 0, truthOnlyPoints: 1 });
  });
});
