import { describe, expect, it } from 'vitest';
import { requireLeads, requireMiners } from '#pipeline/runs/run-request';

const miner = (uid: number, hotkey = `hotkey-${uid}`) => ({
  uid,
  hotkey,
  baseUrl: 'http://203.0.113.9:1234',
});

describe('requireLeads', () => {
  it('leads are returned in rising order', () => {
    expect(requireLeads([48, 24, 240])).toEqual([24, 48, 240]);
  });

  it.each([[[]], [[24, 24]], [[0]], [[12.5]], [[-24]], [[1001]], [[Number.NaN]]])(
    'the leads %j are rejected',
    (leads) => {
      expect(() => requireLeads(leads)).toThrow(
        /allowed are one or more different whole hours from 1 to 1000/,
      );
    },
  );
});

describe('requireMiners', () => {
  it('valid miners are returned unchanged', () => {
    const miners = [miner(0), miner(255)];
    expect(requireMiners(miners)).toEqual(miners);
  });

  it('an empty list of miners is rejected', () => {
    expect(() => requireMiners([])).toThrow('at least one miner');
  });

  it.each([
    ['a slot', [miner(3), miner(3, 'other')], 'uid 3'],
    ['a hotkey', [miner(3, 'same'), miner(4, 'same')], 'hotkey same'],
  ])('two miners that share %s are rejected', (_what, miners, repeated) => {
    expect(() => requireMiners(miners)).toThrow(repeated);
  });

  it.each([-1, 256, 1.5])('the UID %d is rejected with an error that holds no address', (uid) => {
    expect(() => requireMiners([miner(uid)])).toThrow(/^A miner has the uid [^/]*0 to 255\.$/);
  });
});
