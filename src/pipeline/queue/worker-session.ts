import { EventEmitter } from 'node:events';
import { Logger, run, type Runner, type WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import { withinMillis } from '#lifecycle/within-millis';
import { createForgivingPool } from './forgiving-pool.ts';
import { type JobPayload, jobPayloadSchema, type TaskName, TASKS } from './jobs.ts';
import { giveBackJobs } from './private-tables.ts';
import { type SessionJobs, watchJobs } from './session-jobs.ts';
import { takeLease, type WorkerLease } from './worker-lease.ts';

/** What became of the steps that were under way when a stop was asked for. */
export interface StopReport {
  /** Steps that came to their end in time. */
  readonly finished: number;
  /** Steps that were orphaned at the end of their grace: the next worker repeats them. */
  readonly left: number;
}

/** Nothing was under way. */
export const NOTHING_UNDER_WAY: StopReport = { finished: 0, left: 0 };

/** The schema in which the queue keeps its tables. */
export const QUEUE_SCHEMA = 'pipeline';

/** A job as the queue hands it out. */
export interface QueueDelivery {
  readonly task: TaskName;
  readonly payload: JobPayload;
  readonly queueJobId: number;
  /** How often it was handed out, from 1. */
  readonly deliveries: number;
}

/** How long a stop tries to give jobs back, milliseconds: without a database the next worker frees them anyway. */
const GIVE_BACK_MILLIS = 2000;

export interface WorkerOptions {
  readonly pool: Pool;
  /** Jobs at a time. */
  readonly concurrency: number;
  /** How often the queue is looked at besides notifications, milliseconds. */
  readonly pollMillis: number;
  /** How often the jobs of dead workers are looked for, milliseconds. */
  readonly orphanCheckMillis: number;
  /** How long a job must be locked before it is taken for forgotten, milliseconds. */
  readonly orphanGraceMillis: number;
  readonly handle: (delivery: QueueDelivery) => Promise<void>;
  /** How long a stop waits for the jobs under way, milliseconds. */
  readonly stopMillis: number;
  /** Makes sure that jobs which did not end in time commit nothing any more: they are given to others then. */
  readonly fence: () => Promise<void>;
  /** Hears what the queue complains of. */
  readonly onProblem: (message: string) => void;
}

/** Workers of the queue from their start to their end, which comes early when the database is gone for too long. */
export interface WorkerSession {
  /** By this name the queue locks its jobs. */
  readonly poolId: string;
  /** The jobs that are being worked on in this session. */
  readonly activeJobs: ReadonlySet<string>;
  readonly lease: WorkerLease;
  /** Resolves when the workers have ended, whatever ended them. */
  readonly ended: Promise<void>;
  /** Lets the jobs under way come to their end, and gives back those that do not in time. */
  stop(): Promise<StopReport>;
}

/** Starts workers and takes the lock by which others know that they live. */
export async function openSession(options: WorkerOptions): Promise<WorkerSession> {
  const events: WorkerEvents = new EventEmitter();
  const created = new Promise<string>((resolve) => {
    events.once('pool:create', ({ workerPool }) => resolve(workerPool.id));
  });
  const jobs = watchJobs(events);
  const { onProblem } = options;
  const runner = await run({
    pgPool: createForgivingPool(options.pool, onProblem, { onClosing: jobs.onClosing }),
    schema: QUEUE_SCHEMA,
    concurrency: options.concurrency,
    pollInterval: options.pollMillis,
    noHandleSignals: true,
    events,
    logger: problemLogger(onProblem),
    taskList: toTaskList(options),
  });
  const ended = runner.promise.catch((error: unknown) => onProblem(String(error)));
  try {
    const poolId = await created;
    const lease = await takeLease(options.pool, poolId);
    const { active: activeJobs } = jobs;
    return {
      poolId,
      activeJobs,
      lease,
      ended,
      stop: () => stopSession({ runner, poolId, lease, jobs }, options),
    };
  } catch (error) {
    await runner.stop();
    throw error;
  }
}

/** A session to stop. */
interface OpenSession extends Pick<WorkerSession, 'poolId' | 'lease'> {
  readonly runner: Runner;
  readonly jobs: SessionJobs;
}

async function stopSession(
  { runner, poolId, lease, jobs }: OpenSession,
  { pool, stopMillis, fence, onProblem }: WorkerOptions,
): Promise<StopReport> {
  const endedBefore = jobs.ended();
  // A runner that has ended by itself refuses to be stopped; then there is nothing left to do.
  const stopped = runner
    .stop()
    .catch(() => undefined)
    .then(jobs.closed);
  if (!(await withinMillis(stopMillis, stopped))) {
    await Promise.all([fence(), withinMillis(GIVE_BACK_MILLIS, jobs.nothingAsked())]);
    const givenBack = giveBackJobs(pool, poolId).catch((error: unknown) => {
      onProblem(`Jobs could not be given back and are freed once this process has ended: ${String(error)}`);
    });
    await withinMillis(GIVE_BACK_MILLIS, givenBack);
  }
  lease.release();
  return { finished: jobs.ended() - endedBefore, left: jobs.active.size };
}

type TaskList = NonNullable<Parameters<typeof run>[0]['taskList']>;

function toTaskList({ handle }: WorkerOptions): TaskList {
  const tasks = TASKS.map((task): [TaskName, TaskList[string]] => [
    task,
    async (payload, { job }) => {
      const delivery = { task, queueJobId: Number(job.id), deliveries: job.attempts };
      await handle({ ...delivery, payload: jobPayloadSchema.parse(payload) });
    },
  ]);
  return Object.fromEntries(tasks);
}

const TOLD_LEVELS: readonly string[] = ['error', 'warning'];

/** A logger of the queue for errors and warnings alone; the rest is in the spans. */
export const problemLogger = (onProblem: (message: string) => void): Logger =>
  new Logger(() => (level, message) => {
    if (TOLD_LEVELS.includes(level)) onProblem(message);
  });
