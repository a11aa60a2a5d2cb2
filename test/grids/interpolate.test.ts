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

describe('interpolation between grids', () => {
  it('interpolation between grids gives the field itself back where the grids are equal', () => {
    const field = fieldOn(globe, (latitude) => latitude);
    const same = grid([90, 45, 0, -45, -90], [0, 90.00001, 180, 270]);
    expect(createInterpolator(globe, same)(field)).toBe(field);
    expect(isSameGrid(globe, same)).toBe(true);
    expect(isSameGrid(globe, rising)).toBe(false);
    expect(isSameGrid(globe, grid([90, 45], [0, 90, 180, 270]))).toBe(false);
  });

  it('interpolation between grids reproduces every field that is linear in latitude and longitude', () => {
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

  it('interpolation between grids does not care whether latitude rises or falls', () => {
    const value = (latitude: number, longitude: number) => latitude * latitude + longitude;
    const target = grid([80, 10, -70], [10, 200, 300]);
    const falling = createInterpolator(globe, target)(fieldOn(globe, value));
    expect(createInterpolator(rising, target)(fieldOn(rising, value))).toEqual(falling);
  });

  it('interpolation between grids goes round the globe, so that there is no seam at Greenwich', () => {
    const source = fieldOn(globe, (_, longitude) => longitude);
    const target = grid([0], [300, 330, 359.99999, -60, -0.00001]);
    expect([...createInterpolator(globe, target)(source)]).toEqual([180, 90, 0, 180, 0]);
  });

  it('interpolation between grids knows that -90 and 270 are the same meridian', () => {
    const source = fieldOn(globe, (_, longitude) => longitude);
    const target = grid([0], [-180, -90, 0, 90]);
    expect([...createInterpolator(globe, target)(source)]).toEqual([180, 270, 0, 90]);
  });

  it('interpolation between grids understands a falling longitude axis', () => {
    const falling = grid([0, -10], [270, 180, 90, 0]);
    const source = fieldOn(falling, (_, longitude) => longitude);
    expect([...createInterpolator(falling, grid([0], [45, 135, 315]))(source)]).toEqual([45, 135, 135]);
  });

  it('interpolation between grids is NaN outside a region, so that nothing is extrapolated', () => {
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

  it('interpolation between grids spreads a NaN to the points between it and its neighbours, and not to the neighbours themselves', () => {
    const source = fieldOn(globe, (latitude, longitude) =>
      latitude === 45 && longitude === 90 ? Number.NaN : 1,
    );
    const nan = Number.NaN;
    const values = createInterpolator(globe, grid([45], [0, 45, 90, 135, 180]))(source);
    expect([...values]).toEqual([1, nan, nan, nan, 1]);
    const above = createInterpolator(globe, grid([90, 67, 45], [90]))(source);
    expect([...above]).toEqual([1, nan, nan]);
  });

  it('interpolation between grids never leaves the range of the values around a point', () => {
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
