import type { Pool } from 'pg';
import { JOBS_WITH_PAYLOAD } from '#pipeline/queue/private-tables';
import type { StepName } from '#semconv';

/** A step that a worker has begun and not closed. */
export interface StepUnderWay {
  readonly step: StepName;
  readonly jobId: string;
  /** Whether its transition is committed to control state: then only its span end is missing. */
  readonly isCommitted: boolean;
}

/** The steps of jobs that were locked since an instant of the database: those of the worker that was started then. */
export async function findStepsUnderWay(pool: Pool, since: string): Promise<readonly StepUnderWay[]> {
  const { rows } = await pool.query<StepUnderWay>(
    `select job.id::text as "jobId",
       case job.task
         when 'orchestrate' then 'orchestration' when 'gfs_download' then 'seed'
         when 'score_lead' then payload ->> 'scoreType'
         when 'aggregate_miner' then 'aggregate' when 'finish_run' then 'aggregate'
         else job.task end as step,
       coalesce(coalesce(lead.revision, miner.revision, run.revision) > (payload ->> 'revision')::int, false)
         as "isCommitted"
     from ${JOBS_WITH_PAYLOAD} as job
     join pipeline.runs as run on run.run_id = (payload ->> 'runId')::int
     left join pipeline.run_miners as miner
       on miner.run_id = run.run_id and miner.miner_uid = (payload ->> 'minerUid')::int
     left join pipeline.leads as lead
       on lead.run_id = run.run_id and lead.miner_uid = miner.miner_uid
       and lead.score_type = payload ->> 'scoreType' and lead.lead_hours = (payload ->> 'leadHours')::int
     where job.locked_at >= $1`,
    [since],
  );
  return rows;
}

/** A kind of job in the queue. */
export interface QueuedTask {
  readonly task: string;
  /** Whether a worker that was started since the instant works on one. */
  readonly isUnderWay: boolean;
}

/** The tasks that are in the queue, scorings with their type; `since` as in {@link findStepsUnderWay}. */
export async function findTasks(pool: Pool, since: string): Promise<readonly QueuedTask[]> {
  const { rows } = await pool.query<QueuedTask>(
    `select concat_ws(' ', job.task, payload ->> 'scoreType') as task,
       coalesce(bool_or(locked_at >= $1), false) as "isUnderWay"
     from ${JOBS_WITH_PAYLOAD} as job
     group by 1`,
    [since],
  );
  return rows;
}

/** The database's time, exactly. */
export async function databaseTime(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now');
  return rows[0]?.now ?? '';
}

/** Resolves when no process has a connection of a pipeline any more: then nothing of a killed one is on its way. */
export async function untilDisconnected(pool: Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `select from pg_stat_activity
       where datname = current_database() and application_name in ('barograph-pipeline', 'barograph-recorder')`,
    );
    if (rows.length === 0) return;
  }
}
