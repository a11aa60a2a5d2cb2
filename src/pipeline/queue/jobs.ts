import { z } from 'zod';
import { SCORE_TYPES } from '#semconv';
import type { Queryable } from '#database/transaction';

/** The tasks of the queue, most urgent first: what has a deadline goes before what has none. */
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

/** What a job is about. `revision` is that of the row which the job was queued for; at another one it is obsolete. */
export const jobPayloadSchema = z.object({
  runId: z.number().int(),
  minerUid: z.number().int().optional(),
  scoreType: z.enum(SCORE_TYPES).optional(),
  leadHours: z.number().int().optional(),
  revision: z.number().int().optional(),
  /** The outbox: the encoded span end of the job's last step, if that was committed; see `SpanEndCodec`. */
  end: z.string().optional(),
});
export type JobPayload = z.output<typeof jobPayloadSchema>;

/** A job to be queued. */
export interface QueuedJob {
  readonly task: TaskName;
  readonly payload: JobPayload;
  readonly runAt: Date;
}

/** A job that cannot commit is redelivered for as long as it takes; `MAX_DELIVERIES` bounds one that crashes. */
const QUEUE_ATTEMPTS = 1000;

/**
 * One job for each revision of each thing. Keys of the queue are never used to replace a job: replacing one that a
 * worker takes up at that moment would lose the new one.
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
 * @throws Error when the queue took fewer jobs than it was given; the transition must not stand then
 */
export async function addJobs(client: Queryable, jobs: readonly QueuedJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const specs = jobs.map(({ task, payload, runAt }) => ({
    task,
    payload,
    run_at: runAt.toISOString(),
    job_key: jobKey(task, payload),
    priority: TASKS.indexOf(task),
  }));
  const { rows } = await client.query<{ added: number }>(
    `select count(job.id)::int as added
     from json_to_recordset($1::json) as spec (task text, payload json, run_at timestamptz, job_key text, priority int),
       lateral pipeline.add_job(spec.task, payload => spec.payload, run_at => spec.run_at, job_key => spec.job_key,
         priority => spec.priority, max_attempts => $2) as job`,
    [JSON.stringify(specs), QUEUE_ATTEMPTS],
  );
  const added = rows[0]?.added ?? 0;
  if (added !== jobs.length)
    throw new Error(`The queue took ${added} of ${jobs.length} jobs; the step is done again.`);
}
