import { describe, expect, it } from 'vitest';
import { NamedCounts } from '#prometheus/named-counts';
import { OVERFLOW } from '#semconv/metric-labels';

function countsWithin(maxNames: number) {
  const overflowed: [string, number][] = [];
  const onOverflow = (label: string, count: number) => void overflowed.push([label, count]);
  return { counts: new NamedCounts('reason', maxNames, { onOverflow }), overflowed };
}

describe('counts by name', () => {
  it('counts by name add up', () => {
    const { counts } = countsWithin(8);
    counts.add({ not_finite: 2 });
    counts.add({ not_finite: 1, nul_byte: 4 });
    expect([...counts.totals()]).toEqual([
      ['not_finite', 3],
      ['nul_byte', 4],
    ]);
  });

  it('counts by name show a name that was counted 0 times, so that the first time is an increase', () => {
    const { counts } = countsWithin(8);
    counts.add({ queue_full: 0 });
    expect([...counts.totals()]).toEqual([['queue_full', 0]]);
  });

  it('counts by name lose nothing beyond the budget: the rest is in the common series and told', () => {
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

  it('counts by name put the totals of another part under the same names without adding them again at each reading', () => {
    const { counts } = countsWithin(1);
    const read = () => counts.relabel({ first: 1, second: 2 });
    expect(read()).toEqual(read());
    expect(read()).toEqual([
      ['first', 1],
      [OVERFLOW, 2],
    ]);
  });
});
