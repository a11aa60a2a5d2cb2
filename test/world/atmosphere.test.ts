import { describe, expect, it } from 'vitest';
import { VARIABLES } from '#semconv';
import { climateField, type FieldPlace, weatherField } from '#world/atmosphere';
import { WORLD_LEVELS_HPA } from '#world/mean-state';
import { drawWaves } from '#world/planetary-waves';
import { createRandom } from '#world/seeded-random';

const grid = {
  latitudes: Float64Array.from({ length: 19 }, (_, row) => 90 - row * 10),
  longitudes: Float64Array.from({ length: 36 }, (_, column) => column * 10),
};
const JANUARY = new Date('2026-01-15T00:00:00Z');
const JULY = new Date('2026-07-15T00:00:00Z');
const SURFACE = ['2t', 'msl', '10u', '10v'];
const PLACES: FieldPlace[] = VARIABLES.flatMap((variable) =>
  (SURFACE.includes(variable) ? [null] : WORLD_LEVELS_HPA).map((level) => ({ variable, level })),
);

function meanOfRow(field: Float64Array, latitude: number): number {
  const row = ((90 - latitude) / 10) * 36;
  return field.slice(row, row + 36).reduce((sum, value) => sum + value, 0) / 36;
}

describe('climateField', () => {
  it('the mean temperature falls from equator to poles and is lowest at the winter pole', () => {
    const january = climateField({ variable: '2t', level: null }, grid, JANUARY);
    const july = climateField({ variable: '2t', level: null }, grid, JULY);
    expect(meanOfRow(january, 0)).toBeGreaterThan(meanOfRow(january, 50));
    expect(meanOfRow(january, 50)).toBeGreaterThan(meanOfRow(january, 80));
    expect(meanOfRow(january, 80)).toBeLessThan(meanOfRow(january, -80));
    expect(meanOfRow(july, 80)).toBeGreaterThan(meanOfRow(july, -80));
  });

  it('the mean 2 m temperature is highest in the afternoon by solar time', () => {
    const field = climateField({ variable: '2t', level: null }, grid, JANUARY);
    const equator = Array.from(field.slice(9 * 36, 10 * 36));
    const warmest = equator.indexOf(Math.max(...equator));
    expect(warmest * 10).toBe(210);
  });

  it('temperature and humidity fall with height, and geopotential rises', () => {
    for (const [lower, upper] of [
      [850, 500],
      [500, 250],
    ] as const) {
      for (const variable of ['t', 'q'] as const) {
        const below = climateField({ variable, level: lower }, grid, JANUARY);
        const above = climateField({ variable, level: upper }, grid, JANUARY);
        expect(below.every((value, index) => value > (above[index] ?? Infinity))).toBe(true);
      }
      const below = climateField({ variable: 'z', level: lower }, grid, JANUARY);
      const above = climateField({ variable: 'z', level: upper }, grid, JANUARY);
      expect(below.every((value, index) => value < (above[index] ?? -Infinity))).toBe(true);
    }
  });

  it('mid-latitude westerlies grow with height, and trade winds blow at the surface', () => {
    const at45 = WORLD_LEVELS_HPA.map((level) =>
      meanOfRow(climateField({ variable: 'u', level }, grid, JANUARY), 40),
    );
    expect(at45[0]).toBeGreaterThan(2);
    expect(at45[1]).toBeGreaterThan(at45[0] ?? Infinity);
    expect(at45[2]).toBeGreaterThan(at45[1] ?? Infinity);
    const surface = climateField({ variable: '10u', level: null }, grid, JANUARY);
    expect(meanOfRow(surface, 10)).toBeLessThan(-2);
    expect(meanOfRow(surface, 50)).toBeGreaterThan(1);
  });
});

describe('weatherField', () => {
  const waves = drawWaves(createRandom(5));

  it.each(PLACES)('the anomaly of $variable at $level is finite, non-zero and without a mean', (place) => {
    const field = weatherField(place, grid, { waves, hours: 24 });
    expect(field).toHaveLength(19 * 36);
    expect(field.every(Number.isFinite)).toBe(true);
    expect(Math.max(...field)).toBeGreaterThan(0);
    expect(Math.abs(meanOfRow(field, 50))).toBeLessThan(Math.max(...field));
  });

  it('sea level pressure is high where the geopotential at 850 hPa is high', () => {
    const pressure = weatherField({ variable: 'msl', level: null }, grid, { waves, hours: 24 });
    const height = weatherField({ variable: 'z', level: 850 }, grid, { waves, hours: 24 });
    pressure.forEach((value, index) => {
      expect(value).toBeCloseTo(1.2 * (height[index] ?? 0), 8);
    });
  });

  it('the anomaly without waves is 0', () => {
    for (const place of PLACES) {
      const still = weatherField(place, grid, { waves: [], hours: 24 });
      expect(still.every((value) => Math.abs(value) === 0)).toBe(true);
    }
  });
});
