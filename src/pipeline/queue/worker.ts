import { setTimeout as sleep } from 'node:timers/promises';
import { runMigrations } from 'graphile-worker';
import type { Pool } from 'pg';
import { attachErrorHandlers } from './attach-error-handlers.ts';
import { freeForgottenJobs, freeOrphanedJobs } from './private-tables.ts';
import {
  openSession,
  QUEUE_SCHEMA,
  type StopReport,
  createProblemLogger,
  type WorkerOptions,
  type WorkerSession,
} from './worker-session.ts';

/** Workers that run until they are stopped. */
export interface QueueWorker {
  /** Waits for the running jobs and releases those that do not end in time. */
  stop(): Promise<StopReport>;
}

/** Migrates the queue's own tables. Any number of processes may do so at once. */
export async function migrateQueue(pool: Pool): Promise<void> {
  const detach = attachErrorHandlers(pool, () => undefined);
  try {
    await runMigrations({ pgPool: pool, schema: QUEUE_SCHEMA, logger: createProblemLogger(() => undefined) });
  } finally {
    detach();
  }
}

/**
 * Starts workers and supervises them: frees the jobs of dead workers, and restarts the workers when the queue gave up
 * because the database was down.
 *
 * The caller must handle the pool's `error` events.
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
    // A session ends with the last of its jobs, so never while abandoned steps hold some.
    if (report.left === 0) await Promise.all([supervised, watched]);
    return report;
  };
  return { stop: () => (stopped ??= stop()) };
}

/** Holds the current session, which a restart replaces. */
interface SessionHolder {
  session: WorkerSession;
}

/** Opens a new session whenever one has ended, until the workers are stopped. */
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

/** Releases the lease and the jobs of a session that has ended. */
async function freeJobsOf(pool: Pool, session: WorkerSession): Promise<void> {
  await session.lease.release();
  await pool.query('select pipeline.force_unlock_workers($1)', [[session.poolId]]);
}

/** Until the workers are stopped: renews the lease, frees forgotten and orphaned jobs, relays the ends of lost ones. */
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
      await options.relayEnds(stopping);
    } catch (error) {
      options.onProblem(`The check for orphaned jobs failed: ${String(error)}`);
    }
    await pause(options.orphanCheckMillis, stopping);
  }
  await state.session.lease.release();
}

/** Waits without keeping the process alive; a stop ends the wait at once. */
const pause = (millis: number, stopping: AbortSignal): Promise<void> =>
  sleep(millis, undefined, { signal: stopping, ref: false }).catch(() => undefined);
