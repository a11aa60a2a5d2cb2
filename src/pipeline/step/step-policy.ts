import { messageOf } from '#semconv/message-of';
import { classifyError, isRetryable } from '#steps';
import { CategorizedError, scrubText } from '#semconv';
import { ControlStateError } from '../control/control-state-error.ts';
import type { Failure } from '../control/moves.ts';
import { retryDelaySeconds, type RetriedStep } from './retry-policy.ts';
import type { JobDelivery, PipelineParts } from './step-job.ts';
import type { Failed, Retry } from './step-result.ts';

/** A job that was delivered more often than this crashes its workers. */
export const MAX_DELIVERIES = 10;
/** Longest message that control state keeps, characters. */
const MAX_MESSAGE_LENGTH = 500;

/** Which attempt of which step is under way. */
export interface AttemptUnderway {
  readonly parts: Pick<PipelineParts, 'clock' | 'policies' | 'delayFactor'>;
  readonly delivery: JobDelivery;
  readonly step: RetriedStep;
  /** From 1. */
  readonly attempt: number;
}

/**
 * Does the work of a step, and turns a throw into what the policy makes of it.
 *
 * @throws ControlStateError alone: it is no matter of the step
 */
export async function underPolicy<Done>(
  underway: AttemptUnderway,
  work: () => Promise<Done>,
): Promise<Done | Retry | Failed> {
  const { deliveries } = underway.delivery;
  if (deliveries > MAX_DELIVERIES) {
    const message = `The job was started ${deliveries} times and never came to its end; allowed: ${MAX_DELIVERIES}. Its worker crashes, look at memory first.`;
    return { kind: 'failed', error: new CategorizedError('process_crash', message) };
  }
  try {
    return await work();
  } catch (error) {
    if (error instanceof ControlStateError) throw error;
    return afterFailure(underway, error);
  }
}

/** Another attempt where that can help and one is left; otherwise the end. */
export function afterFailure(underway: AttemptUnderway, error: unknown): Retry | Failed {
  const { parts, step, attempt } = underway;
  const seconds = isRetryable(error) ? retryDelaySeconds(step, attempt, parts.policies) : null;
  if (seconds === null) return { kind: 'failed', error };
  return { kind: 'retry', error, nextRetryTime: afterSeconds(parts, seconds) };
}

/** The instant that lies so many seconds of production ahead. */
export const afterSeconds = (parts: AttemptUnderway['parts'], seconds: number): Date =>
  new Date(parts.clock.now().getTime() + seconds * 1000 * parts.delayFactor);

/** A failure as control state keeps it. */
export function toFailure(error: unknown): Failure {
  const message = messageOf(error);
  return { category: classifyError(error), message: scrubText(message).slice(0, MAX_MESSAGE_LENGTH) };
}
