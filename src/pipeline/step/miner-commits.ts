import { currentTraceparent } from '#steps';
import type { Queryable } from '#database/transaction';
import { countOpenMiners } from '../control/locks.ts';
import { moveMiner } from '../control/moves.ts';
import { addJobs, type QueuedJob, type TaskName } from '../queue/jobs.ts';
import type { RetriedStep } from './retry-policy.ts';
import { toFailure } from './step-policy.ts';
import type { MinerJob, RunJob } from './step-job.ts';
import type { Failed } from './step-result.ts';

/** The job that works on a miner at its next revision. */
export const nextMinerJob = ({ miner }: Pick<MinerJob, 'miner'>, task: TaskName, runAt: Date): QueuedJob => ({
  task,
  payload: { runId: miner.runId, minerUid: miner.uid, revision: miner.revision + 1 },
  runAt,
});

/**
 * Queues the end of the run when its last miner has ended. While the run still queries miners it queues nothing: the
 * orchestrator checks again when the run begins to await results.
 */
export async function finishRunIfLast(client: Queryable, { run, parts }: RunJob): Promise<void> {
  const { open, status } = await countOpenMiners(client, run.runId);
  if (open > 0 || status !== 'awaiting_results') return;
  await addJobs(client, [{ task: 'finish_run', payload: { runId: run.runId }, runAt: parts.clock.now() }]);
}

/** Commits another attempt of the same task, with a span link to this one. @returns false when superseded */
export async function commitRetry(
  client: Queryable,
  job: MinerJob,
  { task, nextRetryTime }: { readonly task: TaskName; readonly nextRetryTime: Date },
): Promise<boolean> {
  const moved = await moveMiner(client, job.miner, {
    to: job.miner.state,
    attempt: job.miner.attempt + 1,
    nextAt: nextRetryTime,
    attemptTraceparent: currentTraceparent() ?? null,
  });
  if (moved) await addJobs(client, [nextMinerJob(job, task, nextRetryTime)]);
  return moved;
}

/** Commits the failure of a miner, which ends its part in the run. @returns false when superseded */
export async function commitFailure(
  client: Queryable,
  job: MinerJob,
  { step, failed }: { readonly step: RetriedStep; readonly failed: Failed },
): Promise<boolean> {
  const moved = await moveMiner(client, job.miner, {
    to: 'failed',
    failedStep: step,
    failure: toFailure(failed.error),
  });
  if (moved) await finishRunIfLast(client, job);
  return moved;
}
