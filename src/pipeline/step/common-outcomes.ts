import type { StepOutcome } from '#steps';
import type { Failed, Retry, Superseded, WaitingForTruth } from './step-result.ts';

/** The outcome of a step that another worker committed first: no stage, no status of the forecast. */
export const supersededOutcome = (result: Superseded): StepOutcome => ({
  status: 'succeeded',
  attributes: { 'weather.step.superseded': true },
  context: { [result.kind]: true },
});

/** The outcome of a failed attempt that has a next one. `details` override the stage and add attributes. */
export const retryOutcome = (result: Retry, details: Partial<StepOutcome> = {}): StepOutcome => ({
  stageStatus: 'waiting_retry',
  ...details,
  status: 'retry_scheduled',
  error: result.error,
  nextRetryTime: result.nextRetryTime,
});

/** The outcome of a final failure. `details` override the stage and add attributes. */
export const failedOutcome = (result: Failed, details: Partial<StepOutcome> = {}): StepOutcome => ({
  stageStatus: 'failed',
  ...details,
  status: 'failed',
  error: result.error,
});

/** The outcome of a wait for truth: neither a failure nor progress. `details` add attributes and context. */
export const waitingOutcome = (result: WaitingForTruth, details: Partial<StepOutcome> = {}): StepOutcome => ({
  stageStatus: 'waiting_for_truth',
  ...details,
  status: 'waiting_for_truth',
  nextRetryTime: result.nextRetryTime,
  attributes: { ...details.attributes, 'weather.truth.due_time': result.dueTime.toISOString() },
  context: { ...details.context, waiting: result.reason },
});
