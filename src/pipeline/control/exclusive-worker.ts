import type { Pool } from 'pg';
import { CategorizedError } from '#semconv';
import { LEASE_LOCK_CLASS } from '../queue/worker-lease.ts';

/** Namespace of the lock of the one who wants to be alone: "sole" in ASCII. */
const EXCLUSIVE_LOCK_CLASS = 0x736f6c65;

/** Held while nobody else may work on the runs of the database; it goes with the process. */
export interface ExclusiveLock {
  readonly release: () => void;
}

/**
 * Makes this process the only one that works on the runs of the database. Workers take up whatever is queued there, so
 * whoever brings stores of its own must be alone.
 *
 * @throws CategorizedError `lock_busy` when another process is at work
 */
export async function acquireExclusive(pool: Pool): Promise<ExclusiveLock> {
  const client = await pool.connect();
  // A lost connection gives the lock back; whoever uses the pool hears of the loss.
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
    return { release: () => client.release(true) };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** @throws CategorizedError `lock_busy` while a process wants to be alone */
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
    'Another process works on the runs of this database, and only one may that brings stores of its own. ' +
      'Wait until it has ended, or use another database (DATABASE_URL, or BAROGRAPH_DATA_DIR for an embedded one).',
    { retryable: true },
  );
