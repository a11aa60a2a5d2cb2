import type { Pool, PoolClient } from 'pg';

/** Namespace of the advisory locks by which worker pools hold their leases: "work" in ASCII. */
export const LEASE_LOCK_CLASS = 0x776f726b;

/** Lease of a worker pool: an advisory lock that ends with its connection. */
export interface WorkerLease {
  /** Renews the lease if its connection was lost; does nothing once it was released. */
  renew(): Promise<void>;
  release(): void;
}

/**
 * Acquires the lease of a worker pool. The queue would notice a dead worker only after hours; the database knows at
 * once, because the advisory lock ends with the connection.
 */
export async function takeLease(pool: Pool, poolId: string): Promise<WorkerLease> {
  let held: PoolClient | undefined;
  let isOver = false;
  // Closing the session releases the lock.
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
