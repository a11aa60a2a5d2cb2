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

/**
 * Frees the jobs of worker pools that no longer live, so that others take them up.
 *
 * @param graceMillis how long a pool may need from its first job to its lock
 * @returns how many jobs were freed
 */
export async function freeOrphanedJobs(pool: Pool, graceMillis: number): Promise<number> {
  const { rows } = await pool.query<{ workers: string[] | null; jobs: number }>(
    `select array_agg(distinct locked_by) as workers, count(*)::int as jobs
     from pipeline._private_jobs as job
     where locked_by is not null and locked_at < now() - $2 * interval '1 millisecond'
       and not exists (
         select from pg_locks
         where locktype = 'advisory' and granted and objsubid = 2
           and database = (select oid from pg_database where datname = current_database())
           and classid = $1::oid and objid::bigint = hashtext(job.locked_by)::bigint & 4294967295)`,
    [LEASE_LOCK_CLASS, graceMillis],
  );
  const { workers = null, jobs = 0 } = rows[0] ?? {};
  if (workers !== null) await pool.query('select pipeline.force_unlock_workers($1)', [workers]);
  return jobs;
}

/** The jobs that a living pool works on, as it knows them itself. */
export interface OwnJobs {
  readonly poolId: string;
  readonly activeJobs: ReadonlySet<string>;
}

/**
 * Frees jobs that a living pool has locked and does not work on: the reply that would have brought them, or the
 * statement that would have closed them, was lost with its connection.
 *
 * @returns how many jobs were freed
 */
export async function freeForgottenJobs(
  pool: Pool,
  { poolId, activeJobs }: OwnJobs,
  graceMillis: number,
): Promise<number> {
  const { rowCount } = await pool.query(
    `update pipeline._private_jobs set locked_at = null, locked_by = null
     where locked_by = $1 and locked_at < now() - $2 * interval '1 millisecond' and id <> all($3::bigint[])`,
    [poolId, graceMillis, [...activeJobs]],
  );
  return rowCount ?? 0;
}
