import { setTimeout as sleep } from 'node:timers/promises';
import { runMigrations } from 'graphile-worker';
import type { Pool } from 'pg';
import { attachErrorHandlers } from './attach-error-handlers.ts';
import { freeForgottenJobs, freeOrphanedJobs } from './private-tables.ts';
import {
  openSession,
  QUEUE_SCHEMA,
  type StopReport,
  problemLogger,
  type WorkerOptions,
  type WorkerSession,
} from './worker-session.ts';

/** Workers that run until they are stopped. */
export interface QueueWorker {
  /** Lets the jobs under way come to their end, and gives back those that do not in time. */
  stop(): Promise<StopReport>;
}

/** Brings the queue's own tables up to date. Any number of processes may do so at once. */
export async function migrateQueue(pool: Pool): Promise<void> {
  const detach = attachErrorHandlers(pool, () => undefined);
  try {
    await runMigrations({ pgPool: pool, schema: QUEUE_SCHEMA, logger: problemLogger(() => undefined) });
  } finally {
    detach();
  }
}

/**
 * Starts workers, looks after jobs whose workers died, and starts again when the queue gave up because the database
 * was gone.
 *
 * The caller attaches the error handlers of the pool.
 *
 * @throws Error of the database when the first start fails
 */
export async function startWorker(options: WorkerOptions): Promise<QueueWorker> {
  const stopping = new AbortController();
  const state: SessionHolder = { session: await openSession(options) };
  const supervised = supervise(state, options, stopping.signal);
  const watched = watchForOrphans(state, options, stopping.signal);
  let stopped: Promise<StopReport> | undefined;
  const stop = async (): Promise<StopReport> => {
    stopping.abort();
    const report = await state.session.stop();
    // A session ends with the last of its jobs, so not while some were let go of.
    if (report.left === 0) await Promise.all([supervised, watched]);
    return report;
  };
  return { stop: () => (stopped ??= stop()) };
}

/** The session that works now. */
interface SessionHolder {
  session: WorkerSession;
}

/** Opens a new session whenever one has ended, until it is stopped. */
async function supervise(state: SessionHolder, options: WorkerOptions, stopping: AbortSignal): Promise<void> {
  const isOver = (): boolean => stopping.aborted;
  for (;;) {
    await state.session.ended;
    if (isOver()) return;
    await pause(options.pollMillis, stopping);
    try {
      await freeJobsOf(options.pool, state.session);
      state.session = await openSession(options);
    } catch (error) {
      options.onProblem(`The workers could not be started again: ${String(error)}`);
    }
    if (isOver()) await state.session.stop();
  }
}

/** Gives back what a session that has ended could not complete. */
async function freeJobsOf(pool: Pool, session: WorkerSession): Promise<void> {
  session.lease.release();
  await pool.query('select pipeline.force_unlock_workers($1)', [[session.poolId]]);
}

async function watchForOrphans(
  state: SessionHolder,
  options: WorkerOptions,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      await state.session.lease.renew();
      await freeForgottenJobs(options.pool, state.session, options.orphanGraceMillis);
      await freeOrphanedJobs(options.pool, options.orphanGraceMillis);
    } catch (error) {
      options.onProblem(`Forgotten jobs could not be looked for: ${String(error)}`);
    }
    await pause(options.orphanCheckMillis, stopping);
  }
  state.session.lease.release();
}

/** Waits, without keeping the process alive; a stop ends it at once. */
const pause = (millis: number, stopping: AbortSignal): Promise<void> =>
  sleep(millis, undefined, { signal: stopping, ref: false }).catch(() => undefined);
