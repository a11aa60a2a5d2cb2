import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, deriveSeed } from '#world';

describe('seeded random', () => {
  it('the sequence is that of mulberry32, so that worlds are the same in every release', () => {
    const random = createRandom(1);
    expect([random(), random(), random()].map((value) => value.toFixed(8))).toEqual([
      '0.62707394',
      '0.00273572',
      '0.52744704',
    ]);
  });

  it('the numbers are in [0, 1) and repeat for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const first = createRandom(seed);
        const second = createRandom(seed);
        for (let draw = 0; draw < 20; draw += 1) {
          const value = first();
          expect(value).toBe(second());
          expect(value >= 0 && value < 1).toBe(true);
        }
      }),
    );
  });

  it('the numbers have the mean and variance of a uniform distribution', () => {
    const random = createRandom(42);
    const values = Array.from({ length: 10_000 }, random);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it('deriveSeed gives different purposes different seeds, and the same purpose the same seed', () => {
    const seeds = [
      deriveSeed(1, 'a'),
      deriveSeed(1, 'b'),
      deriveSeed(2, 'a'),
      deriveSeed(1, 'a', 1),
      deriveSeed(1),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(deriveSeed(1, 'a')).toBe(seeds[0]);
  });
});
