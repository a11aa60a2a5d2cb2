import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findStaleMiners,
  QUIET_AFTER_MICROS,
  REPLACED_AFTER_MICROS,
  type MinerPresence,
} from '#prometheus/stale-miners';

const HOUR = 3_600_000_000;
const miner = (minerUid: number | null, updatedAt: number, validatorId = 1): MinerPresence => ({
  validatorId,
  minerUid,
  updatedAt,
});

describe('Stale miners', () => {
  it('a miner is stale when its slot has a newer holder and it was quiet for more than six hours', () => {
    const old = miner(7, 0);
    expect(findStaleMiners([old, miner(7, REPLACED_AFTER_MICROS)])).toEqual([]);
    expect(findStaleMiners([old, miner(7, REPLACED_AFTER_MICROS + 1)])).toEqual([old]);
    expect(findStaleMiners([old, miner(7, 1), miner(8, REPLACED_AFTER_MICROS + 1)])).toEqual([old]);
  });

  it('a miner without a successor in its slot is stale only after thirty quiet days', () => {
    const quiet = miner(7, 0);
    expect(findStaleMiners([quiet, miner(8, QUIET_AFTER_MICROS)])).toEqual([]);
    expect(findStaleMiners([quiet, miner(8, QUIET_AFTER_MICROS + 1)])).toEqual([quiet]);
  });

  it('a newer miner of unknown slot, or of another validator, makes no miner stale', () => {
    expect(findStaleMiners([miner(null, 0), miner(null, 7 * HOUR)])).toEqual([]);
    expect(findStaleMiners([miner(7, 0, 1), miner(7, 40 * 24 * HOUR, 2)])).toEqual([]);
  });

  it('the newest miner of a slot is not replaced, and the newest of a validator is never stale', () => {
    expect(findStaleMiners([miner(7, 8 * HOUR), miner(7, 8 * HOUR), miner(8, 20 * HOUR)])).toEqual([]);
    expect(findStaleMiners([])).toEqual([]);
  });

  it('dropping the rows of stale miners makes no other miner stale', () => {
    const presence = fc.record({
      validatorId: fc.integer({ min: 1, max: 2 }),
      minerUid: fc.option(fc.nat(3)),
      updatedAt: fc.nat(1000).map((hours) => hours * HOUR),
    });
    fc.assert(
      fc.property(fc.array(presence), fc.infiniteStream(fc.boolean()), (miners, drops) => {
        const gone = new Set(findStaleMiners(miners));
        const kept = miners.filter((one) => !gone.has(one) || drops.next().value === true);
        expect(new Set(findStaleMiners(kept))).toEqual(new Set(kept.filter((one) => gone.has(one))));
      }),
    );
  });
});
