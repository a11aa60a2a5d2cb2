import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalTimes } from '#spool/arrival-samples';

/** Arrivals in the order of their numbers. */
const arrivals = fc.array(fc.nat(120), { minLength: 1, maxLength: 50 }).map((pauses) => {
  let at = 0;
  return pauses.map((pause, index) => ({ sequence: index + 1, at: (at += pause) }));
});

describe('the arrival of a record', () => {
  it('the arrival of a record is never said to be later than it was, and earlier by less than the resolution', () => {
    fc.assert(
      fc.property(arrivals, (all) => {
        const times = new ArrivalTimes(50);
        for (const { sequence, at } of all) times.add(sequence, at);
        for (const { sequence, at } of all) {
          const sampled = times.of(sequence) ?? Infinity;
          expect(sampled).toBeLessThanOrEqual(at);
          expect(sampled).toBeGreaterThan(at - 50);
        }
      }),
    );
  });

  it('the arrival of a record is known as well of records beyond the newest sample, and of none when none came', () => {
    const times = new ArrivalTimes();
    expect(times.of(1)).toBeNull();
    times.add(1, 1000);
    times.add(2, 1010);
    expect(times.of(2)).toBe(1000);
    expect(times.of(99)).toBe(1000);
  });

  it('the arrival of a record grows less exact, not larger, when a hundred thousand wait', () => {
    const times = new ArrivalTimes(50);
    const count = 100_000;
    for (let sequence = 1; sequence <= count; sequence += 1) times.add(sequence, sequence * 50);
    for (let sequence = 1; sequence <= count; sequence += 997) {
      const age = sequence * 50 - (times.of(sequence) ?? 0);
      expect(age).toBeGreaterThanOrEqual(0);
      // A hundred thousand samples in at most 4096: every 64th is left of the oldest.
      expect(age).toBeLessThanOrEqual(64 * 50);
    }
  });
});
