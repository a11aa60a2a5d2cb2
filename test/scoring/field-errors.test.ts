import { describe, expect, it } from 'vitest';
import { measureErrors } from '#scoring/field-errors';
import { gridRows } from '#scoring/field-grid';

const field = (...values: number[]) => Float64Array.from(values);

function measure(forecast: Float64Array, truth: Float64Array, latitudes: number[]) {
  return measureErrors({ forecast, truth }, gridRows({ forecast, truth }, latitudes));
}

describe('measureErrors', () => {
  it('measureErrors weighs rows in the moments and in the absolute sum, but not in the unweighted mean', () => {
    const { errors, absoluteSum, unweightedMean } = measure(field(2, 2, -1, -1), field(0, 0, 0, 0), [60, 0]);
    expect(errors.weight).toBeCloseTo(3, 12);
    expect(errors.mean).toBeCloseTo(0, 12);
    expect(absoluteSum).toBeCloseTo(4, 12);
    expect(unweightedMean).toBeCloseTo(0.5, 12);
  });

  it('measureErrors leaves exactly no spread for a constant error, in whatever rows it comes', () => {
    const truth = field(271.3, 280.9, 290.1, 260.7, 250.3, 240.2);
    const forecast = truth.map((value) => Math.fround(value) + 3);
    const exact = measure(forecast, truth.map(Math.fround), [80, 10, -45]);
    expect(exact.errors).toMatchObject({ mean: 3, squares: 0 });
    expect(exact.unweightedMean).toBe(3);
  });

  it('measureErrors tells a gap of the forecast from a gap of the truth', () => {
    const measured = measure(field(1, NaN, 3, NaN), field(1, 2, NaN, NaN), [0]);
    expect(measured).toMatchObject({ sharedPoints: 1, truthOnlyPoints: 1 });
  });

  it('measureErrors looks for extremes beside the truth as well', () => {
    const measured = measure(field(5, 99, -99, Infinity), field(5, NaN, NaN, 1), [0]);
    expect(measured).toMatchObject({ forecastMin: -99, forecastMax: 99 });
  });

  it('measureErrors is not misled by an outlier that opens a row', () => {
    const truth = new Float64Array(1000);
    const forecast = Float64Array.from(truth, (_, index) => (index === 0 ? 1e6 : index % 2));
    const { errors } = measure(forecast, truth, [0]);
    const mean = (1e6 + 500) / 1000;
    const squares = (1e6 - mean) ** 2 + 499 * mean ** 2 + 500 * (1 - mean) ** 2;
    expect(errors.mean / mean).toBeCloseTo(1, 12);
    expect(errors.squares / squares).toBeCloseTo(1, 12);
  });

  it('measureErrors finds nothing in a field without pairs, and does not invent a mean', () => {
    const measured = measure(field(NaN, 1), field(1, NaN), [0, 0]);
    expect(measured.errors).toEqual({ weight: 0, mean: 0, squares: 0 });
    expect(measured).toMatchObject({ absoluteSum: 0, sharedPoints: 0, truthOnlyPoints: 1 });
  });
});
