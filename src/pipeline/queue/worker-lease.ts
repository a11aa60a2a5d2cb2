import type { Pool, PoolClient } from 'pg';
import { withinMillis } from '#lifecycle/within-millis';

/** Namespace of the advisory locks that are the leases of worker pools: "work" in ASCII. */
export const LEASE_LOCK_CLASS = 0x776f726b;
/** How long a release waits for the server, ms. */
const RELEASE_MILLIS = 2000;

/** The lease of a worker pool: a session-level advisory lock, released when the process dies. */
export interface WorkerLease {
  /** Acquires the lock again if its connection was lost; does nothing after `release`. */
  renew(): Promise<void>;
  /** Resolves when another session can take the lock. */
  release(): Promise<void>;
}

/**
 * Acquires the lease of a worker pool. The queue itself takes hours to detect a dead worker; the database knows at once,
 * because it releases the lock with the connection.
 */
export async function acquireLease(pool: Pool, poolId: string): Promise<WorkerLease> {
  let held: PoolClient | undefined;
  let isOver = false;
  // Closing the connection releases the lock.
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
    release: async () => {
      isOver = true;
      const client = held;
      if (client === undefined) return;
      // The server releases the locks of a closed connection some time after it was closed.
      await releaseLocks(client);
      drop(client);
    },
  };
}

/** Releases the session locks of a connection before it is closed; a server that does not answer is not waited for. */
export async function releaseLocks(client: PoolClient): Promise<void> {
  const released = client.query('select pg_advisory_unlock_all()').catch(() => undefined);
  await withinMillis(RELEASE_MILLIS, released);
}
