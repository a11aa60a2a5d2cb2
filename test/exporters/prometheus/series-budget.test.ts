import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SERIES_LIMITS,
  isShowableIdentity,
  NameBudget,
  withinBudget,
  type BudgetedMiner,
} from '#prometheus/series-budget';
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

describe('Miners within the budget', () => {
  const named = (validatorId: number, count: number, changes: Partial<BudgetedMiner> = {}): BudgetedMiner[] =>
    Array.from({ length: count }, (_, at) => ({
      validatorId,
      minerHotkey: `5Miner${at}`,
      isSelected: false,
      firstSeen: at,
      ...changes,
    }));
  const countIn = (miners: Iterable<BudgetedMiner>, validatorId: number): number =>
    [...miners].filter((miner) => miner.validatorId === validatorId).length;

  it.each([1, 2])(
    '1,100 strangers that validator %i names take no series of a miner of the other',
    (number) => {
      const genuine = named(3 - number, 256, { firstSeen: 5000 });
      const own = withinBudget([...named(number, 1100), ...genuine], DEFAULT_SERIES_LIMITS);
      expect(genuine.filter((miner) => !own.has(miner))).toEqual([]);
      expect(countIn(own, number)).toBe(DEFAULT_SERIES_LIMITS.maxMiners - 256);
    },
  );

  it('a miner that a run of its validator took in comes before 1,100 that were merely named earlier', () => {
    const [taken] = named(1, 1, { minerHotkey: '5Taken', isSelected: true, firstSeen: 5000 });
    const own = withinBudget([...named(1, 1100), ...(taken ? [taken] : [])], DEFAULT_SERIES_LIMITS);
    expect(own).toContain(taken);
    expect(own.size).toBe(DEFAULT_SERIES_LIMITS.maxMiners);
  });

  it('the budget is used up, shared fairly by the first validators, and theirs are those with the best claim', () => {
    const miners = fc.uniqueArray(
      fc.record({
        validatorId: fc.integer({ min: 1, max: 5 }),
        minerHotkey: fc.integer({ min: 0, max: 30 }).map((at) => `5Miner${at}`),
        isSelected: fc.boolean(),
        firstSeen: fc.option(fc.nat(5)),
      }),
      { maxLength: 60, selector: ({ validatorId, minerHotkey }) => `${validatorId}/${minerHotkey}` },
    );
    fc.assert(
      fc.property(miners, fc.nat(40), fc.integer({ min: 1, max: 6 }), (all, maxMiners, maxValidators) => {
        const own = withinBudget(all, { maxMiners, maxValidators });
        const numbers = [...new Set(all.map(({ validatorId }) => validatorId))]
          .sort()
          .slice(0, maxValidators);
        const shownOf = numbers.map((number) => all.filter(({ validatorId }) => validatorId === number));
        expect(own.size).toBe(Math.min(maxMiners, shownOf.flat().length));
        for (const [at, ofOne] of shownOf.entries()) {
          const left = ofOne.filter((miner) => !own.has(miner));
          const counts = numbers.map((number) => countIn(own, number));
          if (left.length > 0) expect(Math.max(...counts)).toBeLessThanOrEqual((counts[at] ?? 0) + 1);
          if (left.some(({ isSelected }) => isSelected))
            expect(ofOne.filter((miner) => own.has(miner) && !miner.isSelected)).toEqual([]);
        }
        expect(withinBudget(all.toReversed(), { maxMiners, maxValidators })).toEqual(own);
      }),
    );
  });
});
