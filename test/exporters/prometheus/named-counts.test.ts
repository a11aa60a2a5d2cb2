import { describe, expect, it } from 'vitest';
import { NamedCounts } from '#prometheus/named-counts';
import { OVERFLOW } from '#semconv/metric-labels';

function countsWithin(maxNames: number) {
  const overflowed: [string, number][] = [];
  const onOverflow = (label: string, count: number) => void overflowed.push([label, count]);
  return { counts: new NamedCounts('reason', maxNames, { onOverflow }), overflowed };
}

describe('Counts by name', () => {
  it('counts of one name are summed', () => {
    const { counts } = countsWithin(8);
    counts.add({ not_finite: 2 });
    counts.add({ not_finite: 1, nul_byte: 4 });
    expect([...counts.totals()]).toEqual([
      ['not_finite', 3],
      ['nul_byte', 4],
    ]);
  });

  it('a name counted 0 times has a series, so that the first count shows as an increase', () => {
    const { counts } = countsWithin(8);
    counts.add({ queue_full: 0 });
    expect([...counts.totals()]).toEqual([['queue_full', 0]]);
  });

  it('counts beyond the budget go to the overflow series and are reported', () => {
    const { counts, overflowed } = countsWithin(1);
    counts.add({ first: 1, second: 2, third: 3 });
    expect([...counts.totals()]).toEqual([
      ['first', 1],
      [OVERFLOW, 5],
    ]);
    expect(overflowed).toEqual([
      ['reason', 2],
      ['reason', 3],
    ]);
  });

  it('totals summed elsewhere are relabelled without being added again at each read', () => {
    const { counts } = countsWithin(1);
    const read = () => counts.relabel({ first: 1, second: 2 });
    expect(read()).toEqual(read());
    expect(read()).toEqual([
      ['first', 1],
      [OVERFLOW, 2],
    ]);
  });
});
