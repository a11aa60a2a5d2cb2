import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalSamples } from '#spool/arrival-samples';

/** Arrivals in the order of their numbers. */
const arrivals = fc.array(fc.nat(120), { minLength: 1, maxLength: 50 }).map((pauses) => {
  let at = 0;
  return pauses.map((pause, index) => ({ sequence: index + 1, at: (at += pause) }));
});

describe('ArrivalSamples', () => {
  it('an arrival is never overestimated, and underestimated by less than the resolution', () => {
    fc.assert(
      fc.property(arrivals, (all) => {
        const times = new ArrivalSamples(50);
        for (const { sequence, at } of all) times.add(sequence, at);
        for (const { sequence, at } of all) {
          const arrival = times.arrivalOf(sequence) ?? Infinity;
          expect(arrival).toBeLessThanOrEqual(at);
          expect(arrival).toBeGreaterThan(at - 50);
        }
      }),
    );
  });

  it('a record beyond the newest sample has its arrival, and an empty set has none', () => {
    const times = new ArrivalSamples();
    expect(times.arrivalOf(1)).toBeNull();
    times.add(1, 1000);
    times.add(2, 1010);
    expect(times.arrivalOf(2)).toBe(1000);
    expect(times.arrivalOf(99)).toBe(1000);
  });

  it('downsampling bounds the memory for 100,000 records at the cost of precision', () => {
    const times = new ArrivalSamples(50);
    const count = 100_000;
    for (let sequence = 1; sequence <= count; sequence += 1) times.add(sequence, sequence * 50);
    for (let sequence = 1; sequence <= count; sequence += 997) {
      const age = sequence * 50 - (times.arrivalOf(sequence) ?? 0);
      expect(age).toBeGreaterThanOrEqual(0);
      // A hundred thousand samples in at most 4096: every 64th is left of the oldest.
      expect(age).toBeLessThanOrEqual(64 * 50);
    }
  });
});
