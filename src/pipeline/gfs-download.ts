import { CategorizedError, type RunStatus } from '#semconv';
import { currentTraceparent, step } from '#steps';
import type { Queryable } from '#database/transaction';
import { moveRun, type Move } from './control/moves.ts';
import { cycleName } from './runs/forecast-cycle.ts';
import {
  gfsDownloadDefinition,
  type GfsDownloadResult,
  type GfsReady,
  type LockBusy,
} from './gfs-download-definition.ts';
import { addJobs, type TaskName } from './queue/jobs.ts';
import { newCacheUse, type CacheUse } from './scores/field-cache.ts';
import { DAY1_FIELDS, fieldKey, hasField } from './scores/field-plan.ts';
import type { StoreHandle } from './scores/store-handle.ts';
import { GFS_LOCK_CLASS, underSessionLock } from './control/advisory-lock.ts';
import { settle } from './step/commit-step.ts';
import type { RunJob } from './step/step-job.ts';
import { afterSeconds, toFailure, underPolicy } from './step/step-policy.ts';
import { validTimeOf } from './leads/truth-times.ts';

/** How soon a cycle that another process is opening is looked at again, seconds of production. */
const LOCK_BUSY_SECONDS = 60;

/** Reads the GFS analysis and forecast that day one needs; the miners are queried once they are there. */
export const downloadGfs = step(gfsDownloadDefinition, async (job: RunJob): Promise<GfsDownloadResult> => {
  const { parts, delivery, run } = job;
  const underway = { parts, delivery, step: 'seed', attempt: run.attempt } as const;
  const result = await underPolicy(underway, () => readUnderLock(job));
  return settle<GfsDownloadResult>(job, result, (client, settled) => commit(client, job, settled));
});

/** Processes share what they read through their caches of the file system; two at once would read it twice. */
async function readUnderLock(job: RunJob): Promise<GfsReady | LockBusy> {
  const { parts, run } = job;
  const lock = [GFS_LOCK_CLASS, cycleName(run.initTime)] as const;
  const locked = await underSessionLock(parts.pool, lock, () => readInput(job));
  if (locked.kind === 'done') return locked.result;
  return {
    kind: 'lock_busy',
    error: new CategorizedError(
      'lock_busy',
      `Another process is opening GFS cycle ${cycleName(run.initTime)}.`,
      {
        retryable: true,
      },
    ),
    nextRetryTime: afterSeconds(parts, LOCK_BUSY_SECONDS),
  };
}

/** Both GFS stores, or the reference alone where ERA5 stands in for the analysis. */
async function readInput(job: RunJob): Promise<GfsReady> {
  const { run, parts } = job;
  const { analysis, reference } = parts.stores;
  const use = newCacheUse();
  const fields: Record<string, readonly string[]> = {};
  for (const handle of [analysis, reference]) {
    if (handle !== null) fields[handle.name] = await readFields(job, handle, use);
  }
  const validTime = validTimeOf(run.initTime, run.day1Lead);
  return {
    kind: 'ready',
    input: { cycles: [cycleName(run.initTime)], valid_times: [validTime.toISOString()], fields },
    bytes: use.bytes,
    cacheHits: use.hits,
  };
}

/** The fields of day one, brought into the cache. @throws CategorizedError `truth_not_ready` where the time is absent */
async function readFields(
  { parts, run }: RunJob,
  handle: StoreHandle,
  use: CacheUse,
): Promise<readonly string[]> {
  const validTime = validTimeOf(run.initTime, run.day1Lead);
  const store = await handle.openWithTime(validTime);
  if (store === null) {
    const message = `The ${handle.name} store does not have ${validTime.toISOString()} yet.`;
    throw new CategorizedError('truth_not_ready', message, { retryable: true });
  }
  const { analysis, truth, fields } = parts.stores;
  const grid = await (analysis ?? truth).open();
  const wanted = DAY1_FIELDS.filter((field) => hasField(store, field));
  for (const field of wanted) {
    await fields.read({ storeName: handle.name, store, request: { ...field, validTime }, grid, use });
  }
  return wanted.map(fieldKey);
}

/** What follows. A final failure is kept with the run; the orchestrator then ends it. */
async function commit(client: Queryable, job: RunJob, result: GfsDownloadResult): Promise<boolean> {
  const { run, parts } = job;
  const at = parts.clock.now();
  const attemptTraceparent = currentTraceparent() ?? null;
  switch (result.kind) {
    case 'ready':
      return commitNext(client, job, { task: 'orchestrate', move: { to: 'gfs_ready', nextAt: at } });
    case 'lock_busy':
    case 'retry': {
      const attempt = run.attempt + (result.kind === 'retry' ? 1 : 0);
      const move = { to: 'seeding', attempt, nextAt: result.nextRetryTime, attemptTraceparent } as const;
      return commitNext(client, job, { task: 'gfs_download', move });
    }
    case 'failed': {
      const move = { to: 'seeding', failure: toFailure(result.error), nextAt: at } as const;
      return commitNext(client, job, { task: 'orchestrate', move });
    }
    case 'superseded':
      return false;
  }
}

/** The job that follows, and how the run stands until then. */
interface NextStep {
  readonly task: TaskName;
  readonly move: Move<RunStatus> & { readonly nextAt: Date };
}

async function commitNext(
  client: Queryable,
  { run, parts }: RunJob,
  { task, move }: NextStep,
): Promise<boolean> {
  if (!(await moveRun(client, run, { ...move, at: parts.clock.now() }))) return false;
  const payload = { runId: run.runId, revision: run.revision + 1 };
  await addJobs(client, [{ task, payload, runAt: move.nextAt }]);
  return true;
}
