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

/** From this many deliveries on, a job may be what its workers died of. */
const SUSPECT_DELIVERIES = 3;
/** Longest wait of such a job, in graces. */
const LONGEST_WAIT_GRACES = 20;

/**
 * Frees the jobs of worker pools that no longer live, so that others take them up.
 *
 * A job that kills its worker takes those beside it along, again and again if they were all taken up together. So jobs
 * that were freed several times come due one after the other, a grace apart, and each time later: soon only the one at
 * fault has been handed out too often, and workers that something else kills have time to come to themselves.
 *
 * @param graceMillis how long a pool may need from its first job to its lock
 * @returns how many jobs were freed
 */
export async function freeOrphanedJobs(pool: Pool, graceMillis: number): Promise<number> {
  const { rowCount } = await pool.query(
    `with orphan as (
       select id, row_number() over (partition by attempts >= $3 order by id) as place
       from pipeline._private_jobs as job
       where locked_by is not null and locked_at < now() - $2 * interval '1 millisecond'
         and not exists (
           select from pg_locks
           where locktype = 'advisory' and granted and objsubid = 2
             and database = (select oid from pg_database where datname = current_database())
             and classid = $1::oid and objid::bigint = hashtext(job.locked_by)::bigint & 4294967295)
     )
     update pipeline._private_jobs as job
     set locked_at = null, locked_by = null,
       run_at = case when attempts < $3 then run_at
         else now() + (least(2 ^ (attempts - $3) - 1, $4) + orphan.place - 1) * $2 * interval '1 millisecond' end
     from orphan where job.id = orphan.id and job.locked_at < now() - $2 * interval '1 millisecond'`,
    [LEASE_LOCK_CLASS, graceMillis, SUSPECT_DELIVERIES, LONGEST_WAIT_GRACES],
  );
  return rowCount ?? 0;
}

/**
 * Gives back the jobs of a pool that stops before their steps have ended. Nothing went wrong with them, so this
 * delivery does not count.
 *
 * @returns how many jobs were freed
 */
export async function giveBackJobs(pool: Pool, poolId: string): Promise<number> {
  const { rowCount } = await pool.query(
    `update pipeline._private_jobs set locked_at = null, locked_by = null, attempts = greatest(attempts - 1, 0)
     where locked_by = $1`,
    [poolId],
  );
  return rowCount ?? 0;
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
