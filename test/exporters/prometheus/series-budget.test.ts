import { describe, expect, it } from 'vitest';
import { isShowableIdentity, NameBudget } from '#prometheus/series-budget';
import { OVERFLOW } from '#semconv/metric-labels';

describe('Budget of names', () => {
  it('the first names are kept, and all later ones get the overflow label', () => {
    const names = new NameBudget(2);
    expect(['a', 'b', 'c', 'a', 'd'].map((name) => names.toLabel(name))).toEqual([
      'a',
      'b',
      OVERFLOW,
      'a',
      OVERFLOW,
    ]);
  });

  it.each([
    '',
    'Upper',
    '9digit',
    'two words',
    'a"b',
    'a,b:c',
    OVERFLOW,
    'x'.repeat(64),
    'ECONNREFUSED 10.0.0.1:9',
  ])('%j, which is no identifier, gets the overflow label and uses no budget', (text) => {
    const names = new NameBudget(1);
    expect(names.toLabel(text)).toBe(OVERFLOW);
    expect(names.toLabel('queue_full')).toBe('queue_full');
  });
});

describe('Identities as labels', () => {
  it.each(['5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY', '5Miner7', 'miner-3', 'a.b_c'])(
    'the hotkey %s can be a label',
    (hotkey) => {
      expect(isShowableIdentity(hotkey)).toBe(true);
    },
  );

  it.each(['', OVERFLOW, 'a,miner_uid:7', 'a b', 'a"b', 'a\nb', 'é', 'x'.repeat(129)])(
    'the hotkey %j cannot be a label, since it could be mistaken for another series',
    (hotkey) => {
      expect(isShowableIdentity(hotkey)).toBe(false);
    },
  );
});
