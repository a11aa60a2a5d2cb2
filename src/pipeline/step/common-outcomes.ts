import type { StepOutcome } from '#steps';
import type { Failed, Retry, Superseded, WaitingForTruth } from './step-result.ts';

/** A step that another worker had finished before changes nothing of the forecast. */
export const supersededOutcome = (result: Superseded): StepOutcome => ({
  status: 'succeeded',
  context: { [result.kind]: true },
});

/** `details` adds what the step knows besides. */
export const retryOutcome = (result: Retry, details: Partial<StepOutcome> = {}): StepOutcome => ({
  stageStatus: 'waiting_retry',
  ...details,
  status: 'retry_scheduled',
  error: result.error,
  nextRetryTime: result.nextRetryTime,
});

/** `details` adds what the step knows besides. */
export const failedOutcome = (result: Failed, details: Partial<StepOutcome> = {}): StepOutcome => ({
  stageStatus: 'failed',
  ...details,
  status: 'failed',
  error: result.error,
});

/** Waiting for truth is neither a failure nor progress. `details` adds what the step knows besides. */
export const waitingOutcome = (result: WaitingForTruth, details: Partial<StepOutcome> = {}): StepOutcome => ({
  stageStatus: 'waiting_for_truth',
  ...details,
  status: 'waiting_for_truth',
  nextRetryTime: result.nextRetryTime,
  attributes: { ...details.attributes, 'weather.truth.due_time': result.dueTime.toISOString() },
  context: { ...details.context, waiting: result.reason },
});
