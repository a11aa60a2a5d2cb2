import type { Pool, PoolClient } from 'pg';

/** Namespace of the locks that living worker pools hold: "work" in ASCII. */
const LEASE_LOCK_CLASS = 0x776f726b;
/** How long a pool may need from its first job to its lock, seconds. */
const GRACE_SECONDS = 30;

/** A lock that a worker pool holds while it lives; it goes with the process. */
export interface WorkerLease {
  /** Takes the lock again if its connection was lost. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lock of a worker pool. The queue itself would only notice after hours that a worker is dead; the database
 * knows at once, because the lock goes with the connection.
 */
export async function takeLease(pool: Pool, poolId: string): Promise<WorkerLease> {
  let held: PoolClient | undefined;
  const renew = async (): Promise<void> => {
    if (held !== undefined) return;
    const client = await pool.connect();
    client.once('error', () => {
      if (held === client) held = undefined;
      client.release(true);
    });
    await client.query('select pg_advisory_lock($1, hashtext($2))', [LEASE_LOCK_CLASS, poolId]);
    held = client;
  };
  await renew();
  return {
    renew,
    // Closing the session gives the lock back.
    release: () => {
      held?.release(true);
      held = undefined;
      return Promise.resolve();
    },
  };
}

/**
 * Frees the jobs of worker pools that no longer live, so that others take them up.
 *
 * @returns how many jobs were freed
 */
export async function freeOrphanedJobs(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ workers: string[] | null; jobs: number }>(
    `select array_agg(distinct locked_by) as workers, count(*)::int as jobs
     from pipeline._private_jobs as job
     where locked_by is not null and locked_at < now() - $2 * interval '1 second'
       and not exists (
         select from pg_locks
         where locktype = 'advisory' and granted and objsubid = 2
           and database = (select oid from pg_database where datname = current_database())
           and classid = $1::oid and objid::bigint = hashtext(job.locked_by)::bigint & 4294967295)`,
    [LEASE_LOCK_CLASS, GRACE_SECONDS],
  );
  const { workers = null, jobs = 0 } = rows[0] ?? {};
  if (workers !== null) await pool.query('select pipeline.force_unlock_workers($1)', [workers]);
  return jobs;
}
