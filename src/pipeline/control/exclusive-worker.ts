import type { Pool } from 'pg';
import { CategorizedError } from '#semconv';
import { LEASE_LOCK_CLASS, releaseLocks } from '../queue/worker-lease.ts';

/** Namespace of the exclusive worker's advisory lock: "sole" in ASCII. */
const EXCLUSIVE_LOCK_CLASS = 0x736f6c65;

/** Held while no other process may work on the runs of the database; released with the process. */
export interface ExclusiveLock {
  /** Resolves when another process can work. */
  readonly release: () => Promise<void>;
}

/**
 * Makes this process the only one that works on the runs of the database. Workers take any job that is queued there, so
 * a process with stores of its own must be exclusive: others would score its runs against other stores.
 *
 * @throws CategorizedError `lock_busy` when another process works on the database
 */
export async function acquireExclusive(pool: Pool): Promise<ExclusiveLock> {
  const client = await pool.connect();
  // A lost connection releases the lock; the pool's own handlers report the loss.
  client.on('error', () => undefined);
  try {
    const { rows } = await client.query<{ held: boolean; workers: number }>(
      `select pg_try_advisory_lock($1, 0) as held,
         (select count(*)::int from pg_locks
          where locktype = 'advisory' and granted and objsubid = 2 and classid = $2::oid
            and database = (select oid from pg_database where datname = current_database())) as workers`,
      [EXCLUSIVE_LOCK_CLASS, LEASE_LOCK_CLASS],
    );
    const { held = false, workers = 0 } = rows[0] ?? {};
    if (!held || workers > 0) throw busy();
    return {
      release: async () => {
        await releaseLocks(client);
        client.release(true);
      },
    };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** @throws CategorizedError `lock_busy` while another process holds the exclusive lock */
export async function assertNotExclusive(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `select from pg_locks
     where locktype = 'advisory' and granted and objsubid = 2 and classid = $1::oid
       and database = (select oid from pg_database where datname = current_database())`,
    [EXCLUSIVE_LOCK_CLASS],
  );
  if (rows.length > 0) throw busy();
}

const busy = (): CategorizedError =>
  new CategorizedError(
    'lock_busy',
    'Another process works on the runs of this database, and a process with stores of its own must be the only one. ' +
      'Wait until it has ended, or use another database (DATABASE_URL, or BAROGRAPH_DATA_DIR for an embedded one).',
    { retryable: true },
  );
