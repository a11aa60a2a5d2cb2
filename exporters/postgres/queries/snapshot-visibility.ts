const LOW_BITS = 0xffff_ffffn;
/** The transaction id at the start of a row version. */
const TRANSACTION = /^\d+/;

/**
 * MVCC snapshot visibility: a predicate for row versions that were committed when a snapshot was taken, by the id of
 * the writing transaction. `miner_stats` is never written under a savepoint, so there are no subtransaction ids.
 *
 * @param snapshot text of `pg_current_snapshot`, `xmin:xmax:xip,xip`, 64-bit ids; rows hold the lower 32 bits
 */
export function snapshotVisibility(snapshot: string): (rowVersion: string) => boolean {
  const [, next = '0', running = ''] = snapshot.split(':');
  const nextId = toLowBits(next);
  const runningIds = new Set(running.split(',').filter(Boolean).map(toLowBits));
  return (rowVersion) => {
    const id = Number(TRANSACTION.exec(rowVersion)?.[0] ?? NaN);
    // Transaction ids wrap around: an id is earlier when it is less than 2^31 behind.
    const isEarlier = ((id - nextId) | 0) < 0;
    return isEarlier && !runningIds.has(id);
  };
}

const toLowBits = (id: string): number => Number(BigInt(id) & LOW_BITS);
