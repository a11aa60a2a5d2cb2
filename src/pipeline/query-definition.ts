import type { StepDefinition, StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome } from './step/common-outcomes.ts';
import { attemptIdentity, minerIdentity } from './step/step-identity.ts';
import type { MinerJob } from './step/step-job.ts';
import type { Failed, Retry, Superseded } from './step/step-result.ts';

/** The miner took the job, or has the forecast already. */
export interface Accepted {
  readonly kind: 'accepted' | 'ready';
  readonly jobId: string;
  readonly acceptedAt: Date;
  /** Whether the job has the id that follows from T0 and hotkey. */
  readonly isExpectedJob: boolean;
  /** When it is polled first, or verified. */
  readonly nextAt: Date;
}
export type QueryResult = Accepted | Retry | Failed | Superseded;

/** Asking a miner for its forecast. */
export const queryDefinition: StepDefinition<[MinerJob], Promise<QueryResult>> = {
  name: 'query',
  substep: 'initiate_fetch',
  identity: (job) => ({ ...minerIdentity(job), ...attemptIdentity('query', job.miner, job) }),
  attributes: () => ({ 'weather.stage': 'inference_requested', 'weather.stage.status': 'in_progress' }),
  outcome: toOutcome,
};

function toOutcome(result: QueryResult): StepOutcome {
  switch (result.kind) {
    case 'accepted':
    case 'ready':
      return acceptedOutcome(result);
    case 'retry':
      return retryOutcome(result, { stage: 'inference_requested' });
    case 'failed':
      return failedOutcome(result, {
        stage: 'inference_failed',
        attributes: { 'weather.response.status': 'failed', 'weather.forecast.status': 'failed' },
      });
    case 'superseded':
      return supersededOutcome(result);
  }
}

function acceptedOutcome({ kind, jobId, acceptedAt, isExpectedJob, nextAt }: Accepted): StepOutcome {
  const isReady = kind === 'ready';
  const accepted = acceptedAt.toISOString();
  return {
    status: 'succeeded',
    stage: isReady ? 'awaiting_scoring' : 'inference_running',
    stageStatus: isReady ? 'inference_complete' : 'query_successful',
    attributes: {
      'weather.job.id': jobId,
      'weather.job.accepted_time': accepted,
      'weather.response.status': isReady ? 'forecast_ready' : 'inference_running',
      'weather.inference.started_time': isReady ? null : accepted,
      'weather.inference.completed_time': isReady ? accepted : null,
    },
    context: {
      fast_path: isReady,
      job_id_expected: isExpectedJob,
      [isReady ? 'verify_at' : 'first_poll_at']: nextAt,
    },
  };
}
