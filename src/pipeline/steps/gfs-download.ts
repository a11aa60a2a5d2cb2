import type { Queryable } from '#database/transaction';
import { CategorizedError, type RunStatus } from '#semconv';
import { currentTraceparent, step, type StepDefinition, type StepOutcome } from '#steps';
import { GFS_LOCK_CLASS, tryWithAdvisoryLock } from '../control/advisory-lock.ts';
import { type Move, moveRun } from '../control/moves.ts';
import { validTimeOf } from '../leads/truth-times.ts';
import { addJobs, type TaskName } from '../queue/jobs.ts';
import { cycleName } from '../runs/forecast-cycle.ts';
import { type CacheUse, newCacheUse } from '../scores/field-cache.ts';
import { DAY1_FIELDS, fieldKey, hasField } from '../scores/field-plan.ts';
import type { StoreHandle } from '../scores/store-handle.ts';
import { commitStep } from '../step/commit-step.ts';
import { failedOutcome, retryOutcome, supersededOutcome } from '../step/common-outcomes.ts';
import { attemptIdentity, runIdentity } from '../step/step-identity.ts';
import type { RunJob } from '../step/step-job.ts';
import { afterSeconds, toFailure, withRetryPolicy } from '../step/step-policy.ts';
import type { Failed, Retry, Superseded } from '../step/step-result.ts';

/** The GFS input of the run is there. */
export interface GfsReady {
  readonly kind: 'ready';
  /** Cycles, valid times and fields that were read, as they are recorded with the run. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  readonly cacheHits: number;
}

/** Another process is opening the same cycle. Neither a success nor a failed attempt. */
export interface LockBusy {
  readonly kind: 'lock_busy';
  readonly error: unknown;
  readonly nextRetryTime: Date;
}
export type GfsDownloadResult = GfsReady | LockBusy | Retry | Failed | Superseded;

/** Opening the GFS input of a run, once for all its miners. */
export const gfsDownloadDefinition: StepDefinition<[RunJob], Promise<GfsDownloadResult>> = {
  name: 'seed',
  substep: 'gfs_download',
  profile: true,
  identity: (job) => ({ ...runIdentity(job), ...attemptIdentity('seed', job.run, job) }),
  attributes: () => ({ 'weather.stage': 'gfs_fetch', 'weather.stage.status': 'in_progress' }),
  outcome: toOutcome,
};

function toOutcome(result: GfsDownloadResult, job: RunJob): StepOutcome {
  const stage = 'gfs_fetch';
  switch (result.kind) {
    case 'ready':
      return readyOutcome(result);
    case 'lock_busy':
      return retryOutcome({ ...result, kind: 'retry' }, { stage, context: { lock_busy: true } });
    case 'retry':
      return retryOutcome(result, { stage, context: cycleContext(job) });
    case 'failed':
      return failedOutcome(result, { stage, context: cycleContext(job) });
    case 'superseded':
      return supersededOutcome(result);
  }
}

const readyOutcome = ({ input, bytes, cacheHits }: GfsReady): StepOutcome => ({
  status: 'succeeded',
  stage: 'gfs_fetch',
  stageStatus: 'completed',
  attributes: {
    'weather.run.status': 'gfs_ready',
    'weather.run.input_metadata': JSON.stringify(input),
    'weather.profile.bytes_read': bytes,
  },
  context: { ...input, bytes, cache_hits: cacheHits },
});

const cycleContext = ({ run }: RunJob): Record<string, unknown> => ({
  gfs_init: run.initTime,
  lead_hours: run.day1Lead,
});

/** Delay until a cycle that another process is opening is tried again, seconds of production. */
const LOCK_BUSY_SECONDS = 60;

/** Reads the GFS analysis and forecast that day one needs. The miners are queried once both were read. */
export const downloadGfs = step(gfsDownloadDefinition, async (job: RunJob): Promise<GfsDownloadResult> => {
  const { parts, delivery, run } = job;
  const underway = { parts, delivery, step: 'seed', attempt: run.attempt } as const;
  const result = await withRetryPolicy(underway, () => readUnderLock(job));
  return commitStep<GfsDownloadResult>(job, result, (client, outcome) => commit(client, job, outcome));
});

/** Reads under an advisory lock: processes share the file-system cache, and two at once would read the input twice. */
async function readUnderLock(job: RunJob): Promise<GfsReady | LockBusy> {
  const { parts, run } = job;
  const lock = [GFS_LOCK_CLASS, cycleName(run.initTime)] as const;
  const locked = await tryWithAdvisoryLock(parts.pool, lock, () => readInput(job));
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

/** Reads both GFS stores, or the reference alone when ERA5 replaces the analysis. */
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

/** Reads the fields of day one into the cache. @throws CategorizedError `truth_not_ready` while the time is absent */
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

/** Commits the transition of the run and its next job. The orchestrator ends a run with a stored failure. */
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

/** The next job of a run, and the transition that goes with it. */
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
