import type { Pool } from 'pg';

/** The state of a lock that a test gives to jobs. */
export interface JobLock {
  readonly worker: string;
  /** How long ago the job was locked, as a PostgreSQL interval. */
  readonly age: string;
  /** How often the job was handed out. */
  readonly deliveries: number;
}

/** Locks every job that is free, as a worker pool would have: the queue's public functions lock none. */
export async function lockFreeJobs(pool: Pool, { worker, age, deliveries }: JobLock): Promise<void> {
  await pool.query(
    `update pipeline._private_jobs set locked_by = $1, locked_at = now() - $2::interval, attempts = $3
     where locked_at is null`,
    [worker, age, deliveries],
  );
}

/** Deletes every job, locked ones too, which the queue's public functions leave alone. */
export async function deleteJobs(pool: Pool): Promise<void> {
  await pool.query('delete from pipeline._private_jobs');
}

/** Stores an encoded span end in the payload of every job, where versions before migration 0020 kept it. */
export async function storeEndInPayloads(pool: Pool, end: string): Promise<void> {
  await pool.query(
    `update pipeline._private_jobs set payload = (payload::jsonb || jsonb_build_object('end', $1::text))::json`,
    [end],
  );
}

/** Runs a PL/pgSQL block for each job, before the queue changes it. Once for each event in one database. */
export async function beforeEachJob(
  pool: Pool,
  event: 'insert' | 'update' | 'delete',
  block: string,
): Promise<void> {
  await pool.query(
    `create function pipeline.test_before_${event}() returns trigger language plpgsql as $$ ${block} $$;
     create trigger test_before_${event} before ${event} on pipeline._private_jobs
       for each row execute function pipeline.test_before_${event}()`,
  );
}

/**
 * Keeps jobs whose key matches the `like` pattern from being completed after their first delivery, and the span ends
 * that it stored, as when their worker dies after its commit. Their lock then looks an hour old, so the recovery frees
 * these jobs and no others, whatever the load of the machine.
 */
export async function keepOpenOnce(pool: Pool, pattern: string): Promise<void> {
  await pool.query(
    `create function pipeline.test_keep_ends() returns trigger language plpgsql as $$ begin
       if exists (select from pipeline._private_jobs as job
         where job.id = old.queue_job_id and job.key like '${pattern}' and job.attempts = 1) then
         return null;
       end if;
       return old;
     end $$;
     create trigger test_keep_ends before delete on pipeline.span_ends
       for each row execute function pipeline.test_keep_ends()`,
  );
  await beforeEachJob(
    pool,
    'delete',
    `begin
       if old.key like '${pattern}' and old.attempts = 1 then
         update pipeline._private_jobs set locked_at = now() - interval '1 hour' where id = old.id;
         return null;
       end if;
       return old;
     end`,
  );
}
