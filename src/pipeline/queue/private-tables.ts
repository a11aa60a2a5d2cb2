import type { Pool } from 'pg';
import type { Queryable } from '#database/transaction';
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

/**
 * Stores the encoded end of a step in the payload of the job under way; an earlier one is replaced. No public function
 * changes a locked job: `add_job` with its key adds a second job and keeps the first from being delivered again.
 */
export async function storeEndInPayload(client: Queryable, queueJobId: number, end: string): Promise<void> {
  await client.query(
    `update pipeline._private_jobs
     set payload = (payload::jsonb || jsonb_build_object('end', $2::text))::json where id = $1`,
    [queueJobId, end],
  );
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
 * The public `force_unlock_workers` regards neither the age of a lock nor the deliveries, and `reschedule_jobs` leaves
 * locked jobs alone for four hours.
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
 * delivery does not count. The public `force_unlock_workers` would count it.
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
 * statement that would have closed them, was lost with its connection. The public `force_unlock_workers` would free
 * the jobs under way as well.
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
