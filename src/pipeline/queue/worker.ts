import { EventEmitter } from 'node:events';
import { Logger, run, runMigrations, type Runner, type WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import { jobPayloadSchema, TASKS, type JobPayload, type TaskName } from './jobs.ts';
import { freeOrphanedJobs, takeLease, type WorkerLease } from './worker-lease.ts';

/** The schema in which the queue keeps its tables. */
export const QUEUE_SCHEMA = 'pipeline';

/** A job as the queue hands it out. */
export interface QueueDelivery {
  readonly task: TaskName;
  readonly payload: JobPayload;
  readonly queueJobId: number;
  readonly deliveries: number;
}

export interface WorkerOptions {
  readonly pool: Pool;
  /** Jobs at a time. */
  readonly concurrency: number;
  /** How often the queue is looked at besides notifications, milliseconds. */
  readonly pollMillis: number;
  /** How often the jobs of dead workers are looked for, milliseconds. */
  readonly orphanCheckMillis: number;
  readonly handle: (delivery: QueueDelivery) => Promise<void>;
  /** Hears what the queue complains of. */
  readonly onProblem: (message: string) => void;
}

/** Workers that run until they are stopped. */
export interface QueueWorker {
  /** Lets the jobs under way come to their end. */
  stop(): Promise<void>;
}

/** Brings the queue's own tables up to date. Any number of processes may do so at once. */
export const migrateQueue = (pool: Pool): Promise<void> =>
  runMigrations({ pgPool: pool, schema: QUEUE_SCHEMA, logger: silentLogger(() => undefined) });

/** Starts workers, and looks after jobs whose workers died. */
export async function startWorker(options: WorkerOptions): Promise<QueueWorker> {
  const events: WorkerEvents = new EventEmitter();
  const poolId = new Promise<string>((resolve) => {
    events.once('pool:create', ({ workerPool }) => resolve(workerPool.id));
  });
  const runner = await run({
    pgPool: options.pool,
    schema: QUEUE_SCHEMA,
    concurrency: options.concurrency,
    pollInterval: options.pollMillis,
    noHandleSignals: true,
    events,
    logger: silentLogger(options.onProblem),
    taskList: toTaskList(options),
  });
  runner.promise.catch((error: unknown) => options.onProblem(String(error)));
  try {
    const lease = await takeLease(options.pool, await poolId);
    return watched(runner, lease, options);
  } catch (error) {
    await runner.stop();
    throw error;
  }
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
/** Errors and warnings alone are told; the rest is in the spans. */
const silentLogger = (onProblem: (message: string) => void): Logger =>
  new Logger(() => (level, message) => {
    if (TOLD_LEVELS.includes(level)) onProblem(message);
  });

function watched(runner: Runner, lease: WorkerLease, options: WorkerOptions): QueueWorker {
  const check = async (): Promise<void> => {
    try {
      await lease.renew();
      await freeOrphanedJobs(options.pool);
    } catch (error) {
      options.onProblem(`The jobs of dead workers could not be looked for: ${String(error)}`);
    }
  };
  void check();
  const timer = setInterval(() => void check(), options.orphanCheckMillis);
  timer.unref();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await runner.stop();
    await lease.release();
  };
  return { stop: () => (stopped ??= stop()) };
}
