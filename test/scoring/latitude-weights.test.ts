import { describe, expect, it } from 'vitest';
import { latitudeWeights } from '#scoring/latitude-weights';

describe('latitudeWeights', () => {
  it('latitudeWeights, test vector 7: weighs a row at 60 degrees half as much as one at the equator', () => {
    const [north, equator] = latitudeWeights([60, 0]);
    expect(north).toBeCloseTo(0.5, 12);
    expect(equator).toBe(1);
  });

  it('latitudeWeights treats both hemispheres alike', () => {
    const latitudes = [12.25, 45, 77.5];
    expect(latitudeWeights(latitudes)).toEqual(latitudeWeights(latitudes.map((latitude) => -latitude)));
  });

  it('latitudeWeights never weighs a row negatively, so that rounding at a pole cannot turn an error into a gain', () => {
    for (const weight of latitudeWeights([90, -90, 90.0000001, 95])) {
      expect(weight).toBeGreaterThanOrEqual(0);
      expect(weight).toBeLessThan(1e-15);
    }
  });

  it('latitudeWeights gives a row without a latitude no weight', () => {
    expect(Array.from(latitudeWeights([NaN, Infinity, -Infinity]))).toEqual([0, 0, 0]);
  });
});
