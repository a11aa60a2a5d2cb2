import type { Queryable } from '#database/transaction';
import { CategorizedError, inferenceStage, pollSubstep } from '#semconv';
import { step, type StepAttributes, type StepDefinition, type StepOutcome } from '#steps';
import { recordCompletion } from '../control/miner-row.ts';
import { moveMiner } from '../control/moves.ts';
import { progressOf } from '../miners/index.ts';
import { addJobs } from '../queue/jobs.ts';
import { commitStep } from '../step/commit-step.ts';
import { failedOutcome, retryOutcome, supersededOutcome } from '../step/common-outcomes.ts';
import { commitFailure, commitRetry, nextMinerJob } from '../step/miner-commits.ts';
import { retryDelaySeconds } from '../step/retry-policy.ts';
import { attemptIdentity, minerIdentity } from '../step/step-identity.ts';
import { type MinerJob, requireJobId } from '../step/step-job.ts';
import { afterSeconds, withRetryPolicy } from '../step/step-policy.ts';
import type { Failed, Retry, Superseded } from '../step/step-result.ts';
import { plausibleStart } from './inference-start.ts';

/** What every reply to a poll may say. */
interface Polled {
  /** When the inference began, by the miner's own word; null or absent where it says nothing that can be. */
  readonly startedAt?: Date | null;
}

/** The miner is still computing. */
export interface StillRunning extends Polled {
  readonly kind: 'running';
  /** 0 to 100; null when the miner reports none. */
  readonly progress: number | null;
  readonly wireStatus: string;
  readonly nextRetryTime: Date;
}

/** The forecast is complete. */
export interface Completed extends Polled {
  readonly kind: 'completed';
  readonly completedAt: Date;
  /** From acceptance to this poll, seconds; null when the acceptance is not known. */
  readonly durationSeconds: number | null;
}
/** The inference failed, or had not ended at the last poll allowed. */
export interface PollFailed extends Failed, Polled {
  /** How far the inference had come, 0 to 100; absent when the poll brought no reply. */
  readonly progress?: number | null;
}
export type PollResult = StillRunning | Completed | Retry | PollFailed | Superseded;

/** Asking a miner for the progress of its job: one span a poll. */
export const pollDefinition: StepDefinition<[MinerJob], Promise<PollResult>> = {
  name: 'poll',
  substep: (job) => pollSubstep(job.miner.attempt),
  identity: (job) => ({ ...minerIdentity(job), ...attemptIdentity('poll', job.miner, job) }),
  attributes: (job) => ({ 'weather.job.id': job.miner.jobId }),
  outcome: toOutcome,
};

function toOutcome(result: PollResult, job: MinerJob): StepOutcome {
  const jobId = job.miner.jobId;
  switch (result.kind) {
    case 'running':
      return runningOutcome(result, jobId);
    case 'completed':
      return completedOutcome(result, jobId);
    case 'retry':
      return retryOutcome(result, { stageStatus: 'polling_for_inference', context: { job_id: jobId } });
    case 'failed':
      return failedOutcome(result, {
        stage: 'inference_failed',
        attributes: {
          ...startAttribute(result),
          'weather.poll.progress': result.progress,
          'weather.response.status': 'failed',
          'weather.forecast.status': 'failed',
        },
        context: { job_id: jobId },
      });
    case 'superseded':
      return supersededOutcome(result);
  }
}

const startAttribute = ({ startedAt }: Polled): StepAttributes => ({
  'weather.inference.started_time': startedAt?.toISOString(),
});

/** A running job is polled again without having failed, so this outcome has no error. */
const runningOutcome = (result: StillRunning, jobId: string | null): StepOutcome => ({
  status: 'retry_scheduled',
  nextRetryTime: result.nextRetryTime,
  stage: inferenceStage(result.progress),
  stageStatus: 'polling',
  attributes: {
    ...startAttribute(result),
    'weather.poll.progress': result.progress,
    'weather.response.status': 'inference_running',
    'weather.response.wire_status': result.wireStatus,
  },
  context: { job_id: jobId, progress: result.progress, wire_status: result.wireStatus },
});

const completedOutcome = (result: Completed, jobId: string | null): StepOutcome => ({
  status: 'succeeded',
  stage: 'awaiting_scoring',
  stageStatus: 'inference_complete',
  attributes: {
    ...startAttribute(result),
    'weather.poll.progress': 100,
    'weather.response.status': 'forecast_ready',
    'weather.inference.completed_time': result.completedAt.toISOString(),
    'weather.inference.duration_seconds': result.durationSeconds,
  },
  context: { job_id: jobId },
});

/** Asks a miner for the progress of its job. Verification follows when the forecast is complete. */
export const pollMiner = step(pollDefinition, async (job: MinerJob): Promise<PollResult> => {
  const { parts, delivery, miner } = job;
  const underway = { parts, delivery, step: 'poll', attempt: miner.attempt } as const;
  const result = await withRetryPolicy(underway, () => askForProgress(job));
  return commitStep<PollResult>(job, result, (client, outcome) => commit(client, job, outcome));
});

/** Makes one call. @throws CategorizedError `not_found`, retryable, when the miner does not know its job any more */
async function askForProgress(job: MinerJob): Promise<StillRunning | Completed | PollFailed> {
  const { parts, miner } = job;
  const reply = await parts.minerClient.pollJobStatus(miner, requireJobId(job));
  const times = { acceptedAt: miner.jobAcceptedAt, now: parts.clock.now() };
  const startedAt = plausibleStart(reply.startedAt ?? null, times);
  switch (reply.kind) {
    case 'running':
      return { ...stillRunning(job, reply.progress, reply.wireStatus), startedAt };
    case 'completed':
      return { ...completed(job), startedAt };
    case 'failed':
      return {
        kind: 'failed',
        startedAt,
        progress: progressOf(reply),
        error: new CategorizedError('miner_inference', `The miner's inference failed: ${reply.message}`),
      };
    case 'not_found':
      throw new CategorizedError('not_found', 'The miner does not know the job that it accepted.', {
        retryable: true,
      });
  }
}

/** Another poll, or a `timeout` failure when this was the last one allowed. */
function stillRunning(
  { parts, miner }: MinerJob,
  progress: number | null,
  wireStatus: string,
): StillRunning | PollFailed {
  const seconds = retryDelaySeconds('poll', miner.attempt, parts.policies);
  if (seconds !== null) {
    return { kind: 'running', progress, wireStatus, nextRetryTime: afterSeconds(parts, seconds) };
  }
  const message = `The miner was still "${wireStatus}" at poll ${miner.attempt}, the last one allowed.`;
  return { kind: 'failed', progress, error: new CategorizedError('timeout', message) };
}

function completed({ parts, miner }: MinerJob): Completed {
  const completedAt = parts.clock.now();
  const { jobAcceptedAt } = miner;
  return {
    kind: 'completed',
    completedAt,
    durationSeconds: jobAcceptedAt === null ? null : (completedAt.getTime() - jobAcceptedAt.getTime()) / 1000,
  };
}

/** Makes the transition of the miner and queues its next job, in one transaction. */
async function commit(client: Queryable, job: MinerJob, result: PollResult): Promise<boolean> {
  switch (result.kind) {
    case 'running':
    case 'retry':
      return commitRetry(client, job, { task: 'poll', nextRetryTime: result.nextRetryTime });
    case 'completed':
      return commitCompletion(client, job, result);
    case 'failed':
      return commitFailure(client, job, { step: 'poll', failed: result });
    case 'superseded':
      return false;
  }
}

async function commitCompletion(
  client: Queryable,
  job: MinerJob,
  { completedAt }: Completed,
): Promise<boolean> {
  if (!(await moveMiner(client, job.miner, { to: 'verifying', nextAt: completedAt }))) return false;
  await recordCompletion(client, job.miner, completedAt);
  await addJobs(client, [nextMinerJob(job, 'verify', completedAt)]);
  return true;
}
