import type { Pool, PoolClient } from 'pg';

/** Namespace of the locks that living worker pools hold: "work" in ASCII. */
export const LEASE_LOCK_CLASS = 0x776f726b;

/** A lock that a worker pool holds while it lives; it goes with the process. */
export interface WorkerLease {
  /** Takes the lock again if its connection was lost; does nothing once it was released. */
  renew(): Promise<void>;
  release(): void;
}

/**
 * Takes the lock of a worker pool. The queue itself would only notice after hours that a worker is dead; the database
 * knows at once, because the lock goes with the connection.
 */
export async function takeLease(pool: Pool, poolId: string): Promise<WorkerLease> {
  let held: PoolClient | undefined;
  let isOver = false;
  // Closing the session gives the lock back.
  const drop = (client: PoolClient): void => {
    if (held !== client) return;
    held = undefined;
    client.release(true);
  };
  const renew = async (): Promise<void> => {
    if (held !== undefined || isOver) return;
    const client = await pool.connect();
    held = client;
    client.on('error', () => drop(client));
    try {
      await client.query('select pg_advisory_lock($1, hashtext($2))', [LEASE_LOCK_CLASS, poolId]);
    } catch (error) {
      drop(client);
      throw error;
    }
  };
  await renew();
  return {
    renew,
    release: () => {
      isOver = true;
      if (held !== undefined) drop(held);
    },
  };
}
