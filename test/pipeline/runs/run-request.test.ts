import { describe, expect, it } from 'vitest';
import { requireLeads, requireMiners } from '#pipeline/runs/run-request';

const miner = (uid: number, hotkey = `hotkey-${uid}`) => ({
  uid,
  hotkey,
  baseUrl: 'http://203.0.113.9:1234',
});

describe('the leads of a run', () => {
  it('the leads of a run come in rising order', () => {
    expect(requireLeads([48, 24, 240])).toEqual([24, 48, 240]);
  });

  it.each([[[]], [[24, 24]], [[0]], [[12.5]], [[-24]], [[1001]], [[Number.NaN]]])(
    'the leads of a run are refused as %j',
    (leads) => {
      expect(() => requireLeads(leads)).toThrow(
        /allowed are one or more different whole hours from 1 to 1000/,
      );
    },
  );
});

describe('the miners of a run', () => {
  it('the miners of a run are taken as they are', () => {
    const miners = [miner(0), miner(255)];
    expect(requireMiners(miners)).toEqual(miners);
  });

  it('the miners of a run must be at least one', () => {
    expect(() => requireMiners([])).toThrow('at least one miner');
  });

  it.each([
    ['a slot', [miner(3), miner(3, 'other')], 'uid 3'],
    ['a hotkey', [miner(3, 'same'), miner(4, 'same')], 'hotkey same'],
  ])('the miners of a run may not share %s', (_what, miners, message) => {
    expect(() => requireMiners(miners)).toThrow(message);
  });

  it.each([-1, 256, 1.5])(
    'the miners of a run may not hold the slot %d, and the error does not say where the miner is',
    (uid) => {
      expect(() => requireMiners([miner(uid)])).toThrow(/^A miner has the uid [^/]*0 to 255\.$/);
    },
  );
});
