import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInterpolator, type Grid, isSameGrid } from '#grids';

function grid(latitudes: readonly number[], longitudes: readonly number[]): Grid {
  return { latitudes: Float64Array.from(latitudes), longitudes: Float64Array.from(longitudes) };
}

function fieldOn({ latitudes, longitudes }: Grid, value: (latitude: number, longitude: number) => number) {
  return Float32Array.from(
    [...latitudes].flatMap((latitude) => [...longitudes].map((longitude) => value(latitude, longitude))),
  );
}

const globe = grid([90, 45, 0, -45, -90], [0, 90, 180, 270]);
const rising = grid([-90, -45, 0, 45, 90], [0, 90, 180, 270]);

describe('createInterpolator', () => {
  it('equal grids return the field itself', () => {
    const field = fieldOn(globe, (latitude) => latitude);
    const same = grid([90, 45, 0, -45, -90], [0, 90.00001, 180, 270]);
    expect(createInterpolator(globe, same)(field)).toBe(field);
    expect(isSameGrid(globe, same)).toBe(true);
    expect(isSameGrid(globe, rising)).toBe(false);
    expect(isSameGrid(globe, grid([90, 45], [0, 90, 180, 270]))).toBe(false);
  });

  it('a field that is linear in latitude and longitude is reproduced exactly', () => {
    const linear = (a: number, b: number) => (latitude: number, longitude: number) =>
      5 + a * latitude + b * longitude;
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -90, max: 90, noNaN: true }),
        fc.double({ min: 0, max: 270, noNaN: true }),
        (a, b, latitude, longitude) => {
          const source = fieldOn(globe, linear(a, b));
          const [value] = createInterpolator(globe, grid([latitude], [longitude]))(source);
          expect(value).toBeCloseTo(linear(a, b)(latitude, longitude), 3);
        },
      ),
    );
  });

  it('the result does not depend on the direction of latitude', () => {
    const value = (latitude: number, longitude: number) => latitude * latitude + longitude;
    const target = grid([80, 10, -70], [10, 200, 300]);
    const falling = createInterpolator(globe, target)(fieldOn(globe, value));
    expect(createInterpolator(rising, target)(fieldOn(rising, value))).toEqual(falling);
  });

  it('longitude is cyclic on a global grid, so that there is no seam at Greenwich', () => {
    const source = fieldOn(globe, (_, longitude) => longitude);
    const target = grid([0], [300, 330, 359.99999, -60, -0.00001]);
    expect([...createInterpolator(globe, target)(source)]).toEqual([180, 90, 0, 180, 0]);
  });

  it('-90 and 270 degrees are the same meridian', () => {
    const source = fieldOn(globe, (_, longitude) => longitude);
    const target = grid([0], [-180, -90, 0, 90]);
    expect([...createInterpolator(globe, target)(source)]).toEqual([180, 270, 0, 90]);
  });

  it('a falling longitude axis is supported', () => {
    const falling = grid([0, -10], [270, 180, 90, 0]);
    const source = fieldOn(falling, (_, longitude) => longitude);
    expect([...createInterpolator(falling, grid([0], [45, 135, 315]))(source)]).toEqual([45, 135, 135]);
  });

  it('a point outside a regional grid is NaN, never extrapolated', () => {
    const region = grid([60, 50], [-10, 0]);
    const source = fieldOn(region, () => 1);
    const target = grid([61, 60, 50, 49.9], [349, 350, 355, 0, 1]);
    const values = createInterpolator(region, target)(source);
    const nan = Number.NaN;
    expect([...values.slice(0, 5)]).toEqual([nan, nan, nan, nan, nan]);
    expect([...values.slice(5, 10)]).toEqual([nan, 1, 1, 1, nan]);
    expect([...values.slice(10, 15)]).toEqual([nan, 1, 1, 1, nan]);
    expect([...values.slice(15, 20)]).toEqual([nan, nan, nan, nan, nan]);
  });

  it('a NaN propagates to points next to it, but not to its neighbouring grid points', () => {
    const source = fieldOn(globe, (latitude, longitude) =>
      latitude === 45 && longitude === 90 ? Number.NaN : 1,
    );
    const nan = Number.NaN;
    const values = createInterpolator(globe, grid([45], [0, 45, 90, 135, 180]))(source);
    expect([...values]).toEqual([1, nan, nan, nan, 1]);
    const above = createInterpolator(globe, grid([90, 67, 45], [90]))(source);
    expect([...above]).toEqual([1, nan, nan]);
  });

  it('an interpolated value is within the range of the surrounding values', () => {
    const source = fieldOn(globe, (latitude, longitude) => Math.sin(latitude * 7) * Math.cos(longitude * 3));
    const low = Math.min(...source);
    const high = Math.max(...source);
    fc.assert(
      fc.property(
        fc.double({ min: -90, max: 90, noNaN: true }),
        fc.double({ min: -360, max: 720, noNaN: true }),
        (latitude, longitude) => {
          const [value = Number.NaN] = createInterpolator(globe, grid([latitude], [longitude]))(source);
          expect(value).toBeGreaterThanOrEqual(low);
          expect(value).toBeLessThanOrEqual(high);
        },
      ),
    );
  });
});
