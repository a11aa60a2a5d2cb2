import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMillis } from '#processor/processor-options';

const policy = { firstMillis: 100, maxMillis: 30_000 };

describe('backoffMillis', () => {
  it('the pause doubles with each attempt up to the cap', () => {
    const pauses = [1, 2, 3, 9, 10, 1000].map((attempt) => backoffMillis(attempt, 1, policy));
    expect(pauses).toEqual([100, 200, 400, 25_600, 30_000, 30_000]);
  });

  it('jitter keeps the pause between half and all of the exponential delay', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const whole = backoffMillis(attempt, 1, policy);
          const pause = backoffMillis(attempt, random, policy);
          expect(pause).toBeGreaterThanOrEqual(whole / 2);
          expect(pause).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });
});
