import type { Pool } from 'pg';
import { LEASE_LOCK_CLASS } from './worker-lease.ts';

// The anti-corruption layer over graphile-worker's private tables: no other file names them. Any release may change
// them, so the version is pinned and `private-tables.test.ts` is the contract that another version has to meet. Locks of
// named queues are not handled, because our jobs are in none.

/**
 * The jobs with task and payload: a relation for a `from` clause, which the planner flattens. The public view `jobs`
 * shows neither the payload, which names the run, nor whether a worker would take the job.
 *
 * A left join: the planner leaves it out of a query that does not use the task.
 */
export const JOBS_WITH_PAYLOAD = `(
  select job.id, named.identifier as task, job.payload, job.run_at, job.locked_at, job.is_available
  from pipeline._private_jobs as job left join pipeline._private_tasks as named on named.id = job.task_id)`;

/** From this many deliveries on, a job is suspected of crashing its workers. */
const SUSPECT_DELIVERIES = 3;
/** Longest backoff of a suspected job, in grace periods. */
const LONGEST_WAIT_GRACES = 20;

/**
 * Frees the jobs of worker pools whose lease is gone, so that other workers take them.
 *
 * A job that crashes its worker also costs the jobs beside it a delivery, again and again if all are delivered together.
 * So suspected jobs are spread out, one grace period apart, with exponential backoff: soon only the crashing one exceeds
 * its deliveries, and workers that crash for another reason have time to recover.
 *
 * The public `force_unlock_workers` considers neither the age of a lock nor the deliveries, and `reschedule_jobs` skips
 * locked jobs for four hours.
 *
 * @param graceMillis how long a pool may need from its first job to its lease, milliseconds
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
 * Releases the jobs of a pool that stops before their steps have ended. They did not fail, so this delivery is not
 * counted. The public `force_unlock_workers` would count it.
 *
 * @returns how many jobs were freed
 */
export async function releaseJobs(pool: Pool, poolId: string): Promise<number> {
  const { rowCount } = await pool.query(
    `update pipeline._private_jobs set locked_at = null, locked_by = null, attempts = greatest(attempts - 1, 0)
     where locked_by = $1`,
    [poolId],
  );
  return rowCount ?? 0;
}

/** A live pool and the jobs that it is working on. */
export interface OwnJobs {
  readonly poolId: string;
  readonly activeJobs: ReadonlySet<string>;
}

/**
 * Frees jobs that a live pool has locked and is not working on: the reply that delivered them, or the statement that
 * closed them, was lost with its connection. The public `force_unlock_workers` would free the running jobs as well.
 *
 * @param graceMillis how long a job must have been locked, milliseconds
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
