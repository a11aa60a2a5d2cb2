import { inferenceStage, pollSubstep } from '#semconv';
import type { StepDefinition, StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome } from './step/common-outcomes.ts';
import { attemptIdentity, minerIdentity } from './step/step-identity.ts';
import type { MinerJob } from './step/step-job.ts';
import type { Failed, Retry, Superseded } from './step/step-result.ts';

/** The miner still computes. */
export interface StillRunning {
  readonly kind: 'running';
  /** 0 to 100; null when the miner tells none. */
  readonly progress: number | null;
  readonly wireStatus: string;
  readonly nextRetryTime: Date;
}

/** The forecast is there. */
export interface Completed {
  readonly kind: 'completed';
  readonly completedAt: Date;
  /** From acceptance to this poll, seconds; null when the acceptance is not known. */
  readonly durationSeconds: number | null;
}
export type PollResult = StillRunning | Completed | Retry | Failed | Superseded;

/** Asking a miner how far it is: one span a poll. */
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
        attributes: { 'weather.response.status': 'failed', 'weather.forecast.status': 'failed' },
        context: { job_id: jobId },
      });
    case 'superseded':
      return supersededOutcome(result);
  }
}

/** Tried again, and yet no failure: there is no error to tell. */
const runningOutcome = (result: StillRunning, jobId: string | null): StepOutcome => ({
  status: 'retry_scheduled',
  nextRetryTime: result.nextRetryTime,
  stage: inferenceStage(result.progress),
  stageStatus: 'polling',
  attributes: {
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
    'weather.response.status': 'forecast_ready',
    'weather.inference.completed_time': result.completedAt.toISOString(),
    'weather.inference.duration_seconds': result.durationSeconds,
  },
  context: { job_id: jobId },
});
