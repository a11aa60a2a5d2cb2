const LOW_BITS = 0xffff_ffffn;
/** The transaction in a version of a row. */
const TRANSACTION = /^\d+/;

/**
 * Which versions of rows were committed when a snapshot was taken, by the transaction that wrote them. Nothing of
 * Barograph writes under a savepoint, so the transactions of a snapshot are all there are.
 *
 * @param snapshot as `pg_current_snapshot` writes it, `xmin:xmax:xip,xip`, in 64 bits; rows have the lower 32 of them
 */
export function snapshotVisibility(snapshot: string): (rowVersion: string) => boolean {
  const [, next = '0', running = ''] = snapshot.split(':');
  const nextId = toLowBits(next);
  const runningIds = new Set(running.split(',').filter(Boolean).map(toLowBits));
  return (rowVersion) => {
    const id = Number(TRANSACTION.exec(rowVersion)?.[0] ?? NaN);
    // The numbers go round: whatever is less than half of them ahead comes later.
    const isEarlier = ((id - nextId) | 0) < 0;
    return isEarlier && !runningIds.has(id);
  };
}

const toLowBits = (id: string): number => Number(BigInt(id) & LOW_BITS);
