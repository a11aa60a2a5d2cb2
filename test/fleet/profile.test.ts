import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignProfiles, PROFILES } from '#fleet/profile';

const counts = fc.integer({ min: 0, max: 256 });
const seeds = fc.integer();

describe('assignProfiles', () => {
  it('the same seed assigns the same profiles, and another seed assigns others', () => {
    expect(assignProfiles(16, 1)).toEqual(assignProfiles(16, 1));
    expect(assignProfiles(16, 1)).not.toEqual(assignProfiles(16, 2));
  });

  it('each miner has a profile, and at least half of them are good', () => {
    fc.assert(
      fc.property(counts, seeds, (count, seed) => {
        const parts = assignProfiles(count, seed);
        expect(parts).toHaveLength(count);
        expect(parts.filter((part) => part === 'good').length).toBeGreaterThanOrEqual(count / 2);
      }),
      { numRuns: 40 },
    );
  });

  it('every profile occurs from 16 miners on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 256 }), seeds, (count, seed) => {
        expect(new Set(assignProfiles(count, seed))).toEqual(new Set(PROFILES));
      }),
      { numRuns: 40 },
    );
  });
});
