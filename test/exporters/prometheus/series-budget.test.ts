import { describe, expect, it } from 'vitest';
import { isShowableIdentity, NameBudget } from '#prometheus/series-budget';
import { OVERFLOW } from '#semconv/metric-labels';

describe('the budget of names', () => {
  it('the budget of names keeps the first names and gives all later ones the common name', () => {
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
  ])('the budget of names does not show %j, which is no name, and spends nothing on it', (text) => {
    const names = new NameBudget(1);
    expect(names.toLabel(text)).toBe(OVERFLOW);
    expect(names.toLabel('queue_full')).toBe('queue_full');
  });
});

describe('an identity', () => {
  it.each(['5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY', '5Miner7', 'miner-3', 'a.b_c'])(
    'an identity: %s can be a label',
    (hotkey) => {
      expect(isShowableIdentity(hotkey)).toBe(true);
    },
  );

  it.each(['', OVERFLOW, 'a,miner_uid:7', 'a b', 'a"b', 'a\nb', 'é', 'x'.repeat(129)])(
    'an identity: %j cannot, for it could be taken for another series',
    (hotkey) => {
      expect(isShowableIdentity(hotkey)).toBe(false);
    },
  );
});
