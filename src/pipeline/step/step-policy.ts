import { messageOf } from '#semconv/message-of';
import { classifyError, isRetryable } from '#steps';
import { CategorizedError, scrubText } from '#semconv';
import { ControlStateError } from '../control/control-state-error.ts';
import type { Failure } from '../control/moves.ts';
import { retryDelaySeconds, type RetriedStep } from './retry-policy.ts';
import type { JobDelivery, PipelineParts } from './step-job.ts';
import type { Failed, Retry } from './step-result.ts';

/** A job that was delivered more often than this is taken to crash its worker. */
export const MAX_DELIVERIES = 10;
/** Longest message that control state stores, characters. */
const MAX_MESSAGE_LENGTH = 500;

/** The attempt that is running. */
export interface AttemptUnderway {
  readonly parts: Pick<PipelineParts, 'clock' | 'policies' | 'delayFactor'>;
  readonly delivery: JobDelivery;
  readonly step: RetriedStep;
  /** From 1. */
  readonly attempt: number;
}

/**
 * Does the work of a step and maps an error to a retry or a final failure by the policy of the step. A job with too many
 * deliveries fails as `process_crash` without being tried.
 *
 * @throws ControlStateError only: a database outage is no failure of the step, and the queue delivers the job again
 */
export async function withRetryPolicy<Done>(
  underway: AttemptUnderway,
  work: () => Promise<Done>,
): Promise<Done | Retry | Failed> {
  const { deliveries } = underway.delivery;
  if (deliveries > MAX_DELIVERIES) {
    return { kind: 'failed', error: new CategorizedError('process_crash', crashMessage(deliveries)) };
  }
  try {
    return await work();
  } catch (error) {
    if (error instanceof ControlStateError) throw error;
    return afterFailure(underway, error);
  }
}

/** Why a job that was delivered too often is not tried again. */
export const crashMessage = (deliveries: number): string =>
  `The job was started ${deliveries} times and never ended; allowed: ${MAX_DELIVERIES}. Its worker crashes; check its memory first.`;

/** A retry when the error is retryable and an attempt is left; otherwise a final failure. */
export function afterFailure(underway: AttemptUnderway, error: unknown): Retry | Failed {
  const { parts, step, attempt } = underway;
  const seconds = isRetryable(error) ? retryDelaySeconds(step, attempt, parts.policies) : null;
  if (seconds === null) return { kind: 'failed', error };
  return { kind: 'retry', error, nextRetryTime: afterSeconds(parts, seconds) };
}

/** Now plus `seconds` of production, scaled by `delayFactor`. */
export const afterSeconds = (parts: AttemptUnderway['parts'], seconds: number): Date =>
  new Date(parts.clock.now().getTime() + seconds * 1000 * parts.delayFactor);

/** An error as control state stores it: its category, and its message scrubbed of secrets and cut. */
export function toFailure(error: unknown): Failure {
  const message = messageOf(error);
  return { category: classifyError(error), message: scrubText(message).slice(0, MAX_MESSAGE_LENGTH) };
}
