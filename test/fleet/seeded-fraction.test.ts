import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededBytes, seededFraction, seededInteger } from '#fleet/seeded-fraction';

describe('seeded fraction', () => {
  it('a number depends on seed and purpose only, not on earlier calls', () => {
    const first = seededFraction(1, 'polls', 3);
    seededFraction(1, 'polls', 4);
    expect(seededFraction(1, 'polls', 3)).toBe(first);
    expect(seededFraction(2, 'polls', 3)).not.toBe(first);
    expect(seededBytes(1, 'a', 'b')).not.toEqual(seededBytes(1, 'ab'));
  });

  it('a seeded integer reaches both ends of its range and never leaves it', () => {
    const drawn = Array.from({ length: 200 }, (_, index) => seededInteger({ from: 2, to: 5 }, 1, index));
    expect([...new Set(drawn)].toSorted()).toEqual([2, 3, 4, 5]);
    fc.assert(
      fc.property(fc.integer(), fc.string(), (seed, purpose) => {
        const fraction = seededFraction(seed, purpose);
        expect(fraction >= 0 && fraction < 1).toBe(true);
      }),
    );
  });
});
