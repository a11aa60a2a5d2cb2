import { describe, expect, it } from 'vitest';
import { alertGroups } from '#dashboards/rules/alerts';
import { durationMillis } from '#dashboards/rules/duration';
import { paceOf, PRODUCTION } from '#dashboards/rules/pace';

describe('Pace of rules', () => {
  it('the pace of production leaves every text as it is written', () => {
    const { seconds, held, range } = PRODUCTION.pipeline;
    expect([seconds(1800), held('10m'), range('6h')]).toEqual([1800, '10m', '6h']);
  });

  it('limits, holding times and ranges are scaled alike, but no range falls below two scrapes', () => {
    const { seconds, held, range } = paceOf(0.005);
    expect([seconds(1800), held('5m'), range('1d'), range('5m')]).toEqual([
      9,
      '1500ms',
      '432000ms',
      '5000ms',
    ]);
    expect(held('0s')).toBe('0ms');
  });

  it.each([0, -1, 1.5, Number.NaN])(
    'the factor %d, which is no fraction of production time, throws',
    (factor) => {
      expect(() => paceOf(factor)).toThrow(/^The pace is .*; allowed: above 0, up to 1\.$/);
    },
  );

  it('waits of the pipeline and of the recorder are scaled separately', () => {
    const rules = alertGroups({ pipeline: paceOf(0.01), recorder: paceOf(0.1) }).flatMap(
      (group) => group.rules,
    );
    const exprOf = (name: string) => rules.find(({ alert }) => alert === name)?.expr;
    expect(exprOf('BarographGfsLate')).toMatch(/ > 18$/);
    expect(exprOf('BarographRecorderNotDelivering')).toContain(' > 30)');
    expect(rules.find(({ alert }) => alert === 'BarographGfsLate')?.for).toBe('3000ms');
  });
});

describe('Durations', () => {
  it.each([
    ['0s', 0],
    ['30s', 30_000],
    ['15m', 900_000],
    ['6h', 21_600_000],
    ['3d', 259_200_000],
  ] as const)('the duration %s is %d ms', (duration, millis) => {
    expect(durationMillis(duration)).toBe(millis);
  });
});
