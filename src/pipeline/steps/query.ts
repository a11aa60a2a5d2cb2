import type { Queryable } from '#database/transaction';
import { CategorizedError } from '#semconv';
import { step, type StepDefinition, type StepOutcome } from '#steps';
import { isJobHeldByAnother, recordAcceptance } from '../control/miner-row.ts';
import { moveMiner } from '../control/moves.ts';
import { toJobId } from '../miners/index.ts';
import { addJobs } from '../queue/jobs.ts';
import { commitStep } from '../step/commit-step.ts';
import { failedOutcome, retryOutcome, supersededOutcome } from '../step/common-outcomes.ts';
import { commitFailure, commitRetry, nextMinerJob } from '../step/miner-commits.ts';
import { delayAfter } from '../step/retry-delays.ts';
import { attemptIdentity, minerIdentity } from '../step/step-identity.ts';
import type { MinerJob } from '../step/step-job.ts';
import { afterSeconds, withRetryPolicy } from '../step/step-policy.ts';
import type { Failed, Retry, Superseded } from '../step/step-result.ts';

/** The miner accepted the job, or already has the forecast. */
export interface Accepted {
  readonly kind: 'accepted' | 'ready';
  readonly jobId: string;
  readonly acceptedAt: Date;
  /** Whether the job id is the one that follows from T0 and hotkey. */
  readonly isExpectedJob: boolean;
  /** When the miner is first polled, or verified if it is ready. */
  readonly nextAt: Date;
}
export type QueryResult = Accepted | Retry | Failed | Superseded;

/** Asking a miner for its forecast. */
export const queryDefinition: StepDefinition<[MinerJob], Promise<QueryResult>> = {
  name: 'query',
  substep: 'initiate_fetch',
  identity: (job) => ({ ...minerIdentity(job), ...attemptIdentity('query', job.miner, job) }),
  attributes: () => ({
    'weather.stage': 'inference_requested',
    'weather.stage.status': 'in_progress',
    'weather.response.status': 'fetch_initiated',
  }),
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

/** Asks a miner for its forecast. Polls follow, or verification at once when the forecast is ready. */
export const queryMiner = step(queryDefinition, async (job: MinerJob): Promise<QueryResult> => {
  const { parts, delivery, miner } = job;
  const underway = { parts, delivery, step: 'query', attempt: miner.attempt } as const;
  const result = await withRetryPolicy(underway, () => askForForecast(job));
  try {
    return await commitStep(job, result, (client, outcome) => commit(client, job, outcome));
  } catch (error) {
    if (!isJobHeldByAnother(error)) throw error;
    return commitStep<QueryResult>(job, jobConflict(job, error), (client, outcome) =>
      commit(client, job, outcome),
    );
  }
});

/** Makes one call. A rejection is a final failure of the step; only a call without a valid reply is thrown. */
async function askForForecast(job: MinerJob): Promise<Accepted | Failed> {
  const { parts, run, miner } = job;
  const reply = await parts.minerClient.initiateFetch(miner, {
    initTime: run.initTime,
    validatorHotkey: run.validatorHotkey,
  });
  switch (reply.kind) {
    case 'accepted':
      return accepted(job, 'accepted', reply.jobId);
    case 'ready':
      return accepted(job, 'ready', reply.jobId);
    case 'rejected':
      return {
        kind: 'failed',
        error: new CategorizedError(
          reply.identity ? 'rejected_identity' : 'miner_inference',
          `The miner rejected the request: ${reply.reason}`,
        ),
      };
    case 'error':
      return {
        kind: 'failed',
        error: new CategorizedError('miner_inference', `The miner answered with an error: ${reply.message}`),
      };
  }
}

function accepted({ parts, run, miner }: MinerJob, kind: Accepted['kind'], jobId: string): Accepted {
  return {
    kind,
    jobId,
    acceptedAt: parts.clock.now(),
    isExpectedJob: jobId === toJobId(run.initTime, miner.hotkey),
    nextAt: afterSeconds(parts, kind === 'ready' ? 0 : delayAfter(parts.policies.poll.delay, 1)),
  };
}

/** The failure of a miner whose job id another miner of the run holds: one machine behind two slots. */
const jobConflict = ({ miner }: MinerJob, cause: unknown): Failed => ({
  kind: 'failed',
  error: new CategorizedError(
    'isolation_violation',
    `The job that miner ${miner.uid} answered with belongs to another miner of the run; each has one of its own.`,
    { cause },
  ),
});

/** Makes the transition of the miner and queues its next job, in one transaction. */
async function commit(client: Queryable, job: MinerJob, result: QueryResult): Promise<boolean> {
  switch (result.kind) {
    case 'accepted':
      return commitAcceptance(client, job, { result, state: 'polling', task: 'poll' });
    case 'ready':
      return commitAcceptance(client, job, { result, state: 'verifying', task: 'verify' });
    case 'retry':
      return commitRetry(client, job, { task: 'query', nextRetryTime: result.nextRetryTime });
    case 'failed':
      return commitFailure(client, job, { step: 'query', failed: result });
    case 'superseded':
      return false;
  }
}

/** The state and task after an acceptance: polling, or verification at once. */
interface Acceptance {
  readonly result: Accepted;
  readonly state: 'polling' | 'verifying';
  readonly task: 'poll' | 'verify';
}

async function commitAcceptance(
  client: Queryable,
  job: MinerJob,
  { result, state, task }: Acceptance,
): Promise<boolean> {
  if (!(await moveMiner(client, job.miner, { to: state, nextAt: result.nextAt }))) return false;
  await recordAcceptance(client, job.miner, result);
  await addJobs(client, [nextMinerJob(job, task, result.nextAt)]);
  return true;
}
