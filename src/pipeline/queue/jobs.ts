import { z } from 'zod';
import { SCORE_TYPES } from '#semconv';
import type { Queryable } from '#database/transaction';

/** The tasks of the queue in order of priority: tasks with a deadline before those without. */
export const TASKS = [
  'orchestrate',
  'gfs_download',
  'query',
  'poll',
  'verify',
  'score_lead',
  'aggregate_miner',
  'finish_run',
] as const;
export type TaskName = (typeof TASKS)[number];

/** The payload of a job. `revision` is that of the row it was queued for; when the row has another one, it is obsolete. */
export const jobPayloadSchema = z.object({
  runId: z.number().int(),
  minerUid: z.number().int().optional(),
  scoreType: z.enum(SCORE_TYPES).optional(),
  leadHours: z.number().int().optional(),
  revision: z.number().int().optional(),
  /** The encoded span end of the job's last committed step, in jobs of versions before migration 0020 only. */
  end: z.string().optional(),
});
export type JobPayload = z.output<typeof jobPayloadSchema>;

/** A job to be queued. */
export interface QueuedJob {
  readonly task: TaskName;
  readonly payload: JobPayload;
  readonly runAt: Date;
}

/** A job that cannot commit is redelivered practically without limit; `MAX_DELIVERIES` bounds one that crashes. */
const QUEUE_ATTEMPTS = 1000;

/**
 * The queue's deduplication key: one job per task, row and revision; null without a revision. A key is never reused to
 * replace a job, because replacing one that a worker locks at that moment would lose the new one.
 */
export function jobKey(
  task: TaskName,
  { runId, minerUid, scoreType, leadHours, revision }: JobPayload,
): string | null {
  if (revision === undefined) return null;
  return [task, runId, minerUid, scoreType, leadHours, `r${revision}`]
    .filter((part) => part !== undefined)
    .join(':');
}

/**
 * Queues jobs inside the caller's transaction: they exist if and only if its transition does.
 *
 * @returns their ids, in the same order
 * @throws Error when the queue added fewer jobs than it was given; the transition must be rolled back then
 */
export async function addJobs(client: Queryable, jobs: readonly QueuedJob[]): Promise<readonly number[]> {
  if (jobs.length === 0) return [];
  const specs = jobs.map(({ task, payload, runAt }) => ({
    task,
    payload,
    run_at: runAt.toISOString(),
    job_key: jobKey(task, payload),
    priority: TASKS.indexOf(task),
  }));
  const { rows } = await client.query<{ id: number | null }>(
    `select job.id::float8 as id
     from json_to_recordset($1::json) as spec (task text, payload json, run_at timestamptz, job_key text, priority int),
       lateral pipeline.add_job(spec.task, payload => spec.payload, run_at => spec.run_at, job_key => spec.job_key,
         priority => spec.priority, max_attempts => $2) as job`,
    [JSON.stringify(specs), QUEUE_ATTEMPTS],
  );
  const added = rows.flatMap(({ id }) => id ?? []);
  if (added.length !== jobs.length)
    throw new Error(`The queue added ${added.length} of ${jobs.length} jobs; the step is done again.`);
  return added;
}
