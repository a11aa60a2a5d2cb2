import { describe, expect, it } from 'vitest';
import { drawWaves, type PlanetaryWave, wavePattern } from '#world/planetary-waves';
import { createRandom } from '#world/seeded-random';

const grid = {
  latitudes: Float64Array.from({ length: 19 }, (_, row) => 90 - row * 10),
  longitudes: Float64Array.from({ length: 72 }, (_, column) => column * 5),
};

const wave: PlanetaryWave = {
  waveNumber: 4,
  amplitude: 2,
  phase: 0,
  crestSpeed: 0.5,
  centreLatitude: 50,
  halfWidth: 20,
};

function at(pattern: Float64Array, latitude: number, longitude: number): number {
  return pattern[((90 - latitude) / 10) * 72 + longitude / 5] ?? Number.NaN;
}

describe('wavePattern', () => {
  it('a wave has its crest at its phase and its maximum at the centre of its band', () => {
    const pattern = wavePattern([wave], grid, { hours: 0 });
    expect(at(pattern, 50, 0)).toBeCloseTo(2 * Math.cos((50 * Math.PI) / 180), 10);
    expect(at(pattern, 50, 45)).toBeCloseTo(-at(pattern, 50, 0), 10);
    expect(Math.abs(at(pattern, -50, 0))).toBeLessThan(1e-6);
    expect(at(pattern, 90, 0)).toBeCloseTo(0, 10);
  });

  it('a wave travels eastward with time', () => {
    const start = wavePattern([wave], grid, { hours: 0 });
    const later = wavePattern([wave], grid, { hours: 60 });
    expect(at(later, 50, 30)).toBeCloseTo(at(start, 50, 0), 10);
  });

  it('waves are additive, so that errors can be layered on weather', () => {
    const random = createRandom(3);
    const [first, second] = [drawWaves(random), drawWaves(random)];
    const together = wavePattern([...first, ...second], grid, { hours: 5 });
    const one = wavePattern(first, grid, { hours: 5 });
    const other = wavePattern(second, grid, { hours: 5 });
    together.forEach((value, index) => {
      expect(value).toBeCloseTo((one[index] ?? 0) + (other[index] ?? 0), 10);
    });
  });

  it('the pattern is of order one in both storm tracks for any seed', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const pattern = wavePattern(drawWaves(createRandom(seed)), grid, { hours: 0 });
      for (const latitude of [50, -50]) {
        const row = Array.from({ length: 72 }, (_, column) => at(pattern, latitude, column * 5));
        const size = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length);
        expect(size).toBeGreaterThan(0.2);
        expect(size).toBeLessThan(2);
      }
    }
  });

  it('the pattern is smooth: neighbours differ by less than the whole range', () => {
    const pattern = wavePattern(drawWaves(createRandom(9)), grid, { hours: 0 });
    const range = Math.max(...pattern) - Math.min(...pattern);
    const steps = Array.from(pattern.slice(1), (value, index) => Math.abs(value - (pattern[index] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(range / 2);
  });
});
