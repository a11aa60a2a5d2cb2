import { describe, expect, it } from 'vitest';
import { latitudeWeights } from '#scoring/latitude-weights';

describe('latitudeWeights', () => {
  it('the weight cos(latitude) of a row at 60 degrees is half that of the equator (test vector 7)', () => {
    const [north, equator] = latitudeWeights([60, 0]);
    expect(north).toBeCloseTo(0.5, 12);
    expect(equator).toBe(1);
  });

  it('the weights of opposite latitudes are equal', () => {
    const latitudes = [12.25, 45, 77.5];
    expect(latitudeWeights(latitudes)).toEqual(latitudeWeights(latitudes.map((latitude) => -latitude)));
  });

  it('a weight is never negative, so that rounding at a pole cannot turn an error into a gain', () => {
    for (const weight of latitudeWeights([90, -90, 90.0000001, 95])) {
      expect(weight).toBeGreaterThanOrEqual(0);
      expect(weight).toBeLessThan(1e-15);
    }
  });

  it('a row without a finite latitude has weight 0', () => {
    expect(Array.from(latitudeWeights([NaN, Infinity, -Infinity]))).toEqual([0, 0, 0]);
  });
});
