import { getPublicKey } from '@scure/sr25519';
import { describe, expect, it } from 'vitest';
import { PROFILES } from '#fleet/profile';
import { makeSimulatedMiner, secretKeyOf } from '#fleet/simulated-miner';
import { decodeHotkey } from '#pipeline/miners/index';

describe('simulated miner', () => {
  it('the same seed and UID give the same miner, and any other gives another', () => {
    const miner = makeSimulatedMiner(1, 5, 'good');
    expect(makeSimulatedMiner(1, 5, 'good')).toEqual(miner);
    const others = [makeSimulatedMiner(2, 5, 'good'), makeSimulatedMiner(1, 6, 'good')];
    expect(new Set([miner, ...others].map(({ hotkey }) => hotkey)).size).toBe(3);
    expect(new Set([miner, ...others].map(({ seed }) => seed)).size).toBe(3);
  });

  it('the hotkey of a miner belongs to its secret key', () => {
    expect(decodeHotkey(makeSimulatedMiner(1, 5, 'slow').hotkey)).toEqual(getPublicKey(secretKeyOf(1, 5)));
  });

  it('a miner completes within the 20 polls of a validator, even when some of them fail', () => {
    for (const profile of PROFILES) {
      for (let uid = 0; uid < 10; uid += 1) {
        const { inferencePolls, quality } = makeSimulatedMiner(3, uid, profile);
        expect(inferencePolls).toBeLessThanOrEqual(9);
        expect(quality).toBeGreaterThanOrEqual(0.4);
        expect(quality).toBeLessThan(0.98);
      }
    }
  });
});
