import { EventEmitter } from 'node:events';
import { Logger, run, type Runner, type WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import { withinMillis } from '#lifecycle/within-millis';
import { scrubText } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import { createForgivingPool } from './forgiving-pool.ts';
import { type JobPayload, jobPayloadSchema, type TaskName, TASKS } from './jobs.ts';
import { releaseJobs } from './private-tables.ts';
import { type SessionJobs, watchJobs } from './session-jobs.ts';
import { acquireLease, type WorkerLease } from './worker-lease.ts';
import { isError } from '#semconv/message-of';

/** The steps that were running when a stop was requested, by what became of them. */
export interface StopReport {
  /** Steps that ended in time. */
  readonly finished: number;
  /** Steps that did not end in time and were abandoned: their jobs are released to other workers. */
  readonly left: number;
}

/** The report of a stop while no step was running. */
export const NOTHING_UNDER_WAY: StopReport = { finished: 0, left: 0 };

/** The schema of the queue's tables. */
export const QUEUE_SCHEMA = 'pipeline';

/** A job as the queue delivers it. */
export interface QueueDelivery {
  readonly task: TaskName;
  readonly payload: JobPayload;
  readonly queueJobId: number;
  /** How often it was delivered, from 1. */
  readonly deliveries: number;
}

/** How long a stop tries to release jobs, milliseconds. If the database is down, other workers free them later. */
const RELEASE_MILLIS = 2000;

export interface WorkerOptions {
  readonly pool: Pool;
  /** Jobs at a time. */
  readonly concurrency: number;
  /** Poll interval of the queue besides notifications, milliseconds. */
  readonly pollMillis: number;
  /** Interval of the check for jobs of dead workers, milliseconds. */
  readonly orphanCheckMillis: number;
  /** How long a job must have been locked before it can count as orphaned, milliseconds. */
  readonly orphanGraceMillis: number;
  readonly handle: (delivery: QueueDelivery) => Promise<void>;
  /** Records the stored span ends of jobs that are gone; called at each check for jobs of dead workers. */
  readonly relayEnds: (stopping: AbortSignal) => Promise<void>;
  /** How long a stop waits for running jobs, milliseconds. */
  readonly stopMillis: number;
  /** Prevents commits of jobs that did not end in time, before they are released to other workers. */
  readonly fence: () => Promise<void>;
  /** Receives the warnings and errors of the queue. */
  readonly onProblem: (message: string) => void;
}

/** The workers of the queue from start to end. A session ends early when the database is down for too long. */
export interface WorkerSession {
  /** The name under which the queue locks the jobs of this session. */
  readonly poolId: string;
  /** Ids of the jobs that are running in this session. */
  readonly activeJobs: ReadonlySet<string>;
  readonly lease: WorkerLease;
  /** Resolves when the workers have ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Waits for the running jobs and releases those that do not end in time. */
  stop(): Promise<StopReport>;
}

/** Starts workers and acquires their lease, by which other processes detect that they are alive. */
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
    logger: createProblemLogger(onProblem),
    taskList: toTaskList(options),
  });
  const ended = runner.promise.catch((error: unknown) => onProblem(String(error)));
  try {
    const poolId = await created;
    const lease = await acquireLease(options.pool, poolId);
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
  // A runner that has already ended rejects `stop`; nothing is left to do then.
  const stopped = runner
    .stop()
    .catch(() => undefined)
    .then(jobs.closed);
  if (!(await withinMillis(stopMillis, stopped))) {
    await Promise.all([fence(), withinMillis(RELEASE_MILLIS, jobs.noFetchPending())]);
    const released = releaseJobs(pool, poolId).catch((error: unknown) => {
      onProblem(`Jobs could not be released; they are freed after this process has ended: ${String(error)}`);
    });
    await withinMillis(RELEASE_MILLIS, released);
  }
  await lease.release();
  return { finished: jobs.ended() - endedBefore, left: jobs.active.size };
}

type TaskList = NonNullable<Parameters<typeof run>[0]['taskList']>;

function toTaskList({ handle }: WorkerOptions): TaskList {
  const tasks = TASKS.map((task): [TaskName, TaskList[string]] => [
    task,
    async (payload, { job }) => {
      const delivery = { task, queueJobId: Number(job.id), deliveries: job.attempts };
      await handle({ ...delivery, payload: jobPayloadSchema.parse(payload) }).catch(rejectWithoutSecrets);
    },
  ]);
  return Object.fromEntries(tasks);
}

/** The queue stores the message of a job that failed, and prints its stack. @throws a copy of the error */
function rejectWithoutSecrets(error: unknown): never {
  const copy = scrubbedCause(error);
  if (isError(error) && error.stack !== undefined) copy.stack = scrubText(error.stack);
  throw copy;
}

const PROBLEM_LEVELS: readonly string[] = ['error', 'warning'];

/** A logger for the queue that reports errors and warnings only; everything else is in the spans. */
export const createProblemLogger = (onProblem: (message: string) => void): Logger =>
  new Logger(() => (level, message) => {
    if (PROBLEM_LEVELS.includes(level)) onProblem(message);
  });
