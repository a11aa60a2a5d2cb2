import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleDelay, truthDueTime, truthGiveUpTime, validTimeOf } from '#pipeline/leads/truth-times';

const T0 = new Date('2025-11-26T00:00:00Z');
const instants = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });

describe('truth times, test vector 10', () => {
  it.each([
    [24, '2025-12-02T06:00:00.000Z'],
    [240, '2025-12-11T06:00:00.000Z'],
  ])('the truth of lead %i h is due at %s', (lead, due) => {
    expect(truthDueTime(T0, lead).toISOString()).toBe(due);
  });

  it('truth is valid at T0 + lead and given up 30 days later', () => {
    expect(validTimeOf(T0, 12).toISOString()).toBe('2025-11-26T12:00:00.000Z');
    expect(truthGiveUpTime(T0, 12).toISOString()).toBe('2025-12-26T12:00:00.000Z');
  });
});

describe('scaleDelay', () => {
  it('a factor of 1 leaves every instant unchanged', () => {
    fc.assert(
      fc.property(instants, instants, (instant, start) => {
        expect(scaleDelay(instant, start, 1)).toEqual(instant);
      }),
    );
  });

  it('a scaled instant lies between the start and the instant', () => {
    fc.assert(
      fc.property(
        instants,
        instants,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (instant, start, factor) => {
          const when = scaleDelay(instant, start, factor).getTime();
          expect(when).toBeGreaterThanOrEqual(Math.min(instant.getTime(), start.getTime()) - 1);
          expect(when).toBeLessThanOrEqual(Math.max(instant.getTime(), start.getTime()) + 1);
        },
      ),
    );
  });

  it('a small factor turns five days into seconds and leaves the past in the past', () => {
    const start = new Date('2025-11-26T18:00:00Z');
    expect(scaleDelay(truthDueTime(T0, 24), start, 1e-5).getTime() - start.getTime()).toBeCloseTo(4752, 0);
    expect(scaleDelay(T0, start, 1e-5) < start).toBe(true);
  });
});
