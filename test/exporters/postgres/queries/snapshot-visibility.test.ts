import { describe, expect, it } from 'vitest';
import { snapshotVisibility } from '#postgres/queries/snapshot-visibility';

const version = (transaction: number) => `${transaction}(3,14)`;

describe('snapshotVisibility', () => {
  it('a snapshot has seen earlier commits, but neither running nor later transactions', () => {
    const hasSeen = snapshotVisibility('100:105:100,103');
    const seen = [1, 99, 100, 101, 102, 103, 104, 105, 106].filter((id) => hasSeen(version(id)));
    expect(seen).toEqual([1, 99, 101, 102, 104]);
  });

  it('a snapshot without running transactions has seen all earlier ones', () => {
    const hasSeen = snapshotVisibility('100:100:');
    expect([99, 100].map((id) => hasSeen(version(id)))).toEqual([true, false]);
  });

  it('32-bit transaction ids of rows are compared across the wraparound', () => {
    const hasSeen = snapshotVisibility('8589934590:8589934594:8589934591');
    const ids = [4_294_967_294, 4_294_967_295, 0, 1, 2, 3];
    expect(ids.filter((id) => hasSeen(version(id)))).toEqual([4_294_967_294, 0, 1]);
  });

  it('a row version without a transaction id is not visible', () => {
    expect(snapshotVisibility('100:105:')('unknown')).toBe(false);
  });
});
