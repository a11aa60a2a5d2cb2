import { describe, expect, it } from 'vitest';
import { geostrophicWind } from '#world/geostrophic-wind';

const grid = {
  latitudes: Float64Array.from({ length: 37 }, (_, row) => 90 - row * 5),
  longitudes: Float64Array.from({ length: 72 }, (_, column) => column * 5),
};
const RADIUS = 6_371_000;

function fieldOf(value: (latitude: number, longitude: number) => number): Float64Array {
  const radians = Math.PI / 180;
  return Float64Array.from(
    [...grid.latitudes].flatMap((latitude) =>
      [...grid.longitudes].map((longitude) => value(latitude * radians, longitude * radians)),
    ),
  );
}

function at(field: Float64Array, latitude: number, longitude: number): number {
  return field[((90 - latitude) / 5) * 72 + longitude / 5] ?? Number.NaN;
}

describe('geostrophicWind', () => {
  it('low geopotential at the poles gives westerlies in both hemispheres', () => {
    const { eastward, northward } = geostrophicWind(
      fieldOf((latitude) => -5000 * Math.sin(latitude) ** 2),
      grid,
    );
    for (const latitude of [45, -45]) {
      const radians = (latitude * Math.PI) / 180;
      const coriolis = 2 * 7.292e-5 * Math.sin(radians);
      const expected = (5000 * Math.sin(2 * radians)) / RADIUS / coriolis;
      expect(at(eastward, latitude, 90) / expected).toBeCloseTo(1, 1);
      expect(at(eastward, latitude, 90)).toBeGreaterThan(0);
      expect(at(northward, latitude, 90)).toBeCloseTo(0, 10);
    }
  });

  it('the wind around a high is clockwise in the north and anticlockwise in the south', () => {
    const { northward } = geostrophicWind(
      fieldOf((_, longitude) => 1000 * Math.cos(longitude)),
      grid,
    );
    expect(at(northward, 45, 90)).toBeLessThan(0);
    expect(at(northward, 45, 270)).toBeGreaterThan(0);
    expect(at(northward, -45, 90)).toBeGreaterThan(0);
  });

  it('the wind is continuous across the longitude seam', () => {
    const { northward } = geostrophicWind(
      fieldOf((_, longitude) => 1000 * Math.sin(longitude)),
      grid,
    );
    expect(at(northward, 45, 0)).toBeCloseTo(-at(northward, 45, 180), 8);
  });

  it('the wind is finite at the equator and at the poles', () => {
    const { eastward, northward } = geostrophicWind(
      fieldOf((latitude, longitude) => 1000 * Math.cos(3 * longitude) * Math.cos(latitude)),
      grid,
    );
    expect([...eastward, ...northward].every(Number.isFinite)).toBe(true);
  });
});
