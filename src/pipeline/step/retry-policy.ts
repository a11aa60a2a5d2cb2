import type { StepName } from '#semconv';
import { delayAfter, type DelayRule } from './retry-delays.ts';

/** The steps that have a retry policy. The others commit at once or are redelivered by the queue. */
export type RetriedStep = Exclude<StepName, 'communication' | 'orchestration'>;

/** How often a step is tried, and how long it waits in between. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly delay: DelayRule;
}
export type RetryPolicies = Readonly<Record<RetriedStep, RetryPolicy>>;

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/**
 * The table of retry policies, in seconds of production (before `delayFactor`).
 *
 * The delay of `poll` is its interval: a miner that still computes and a call that failed each use up one poll. `verify`
 * stays short because the manifest must be frozen within hours. Waiting for truth uses up no attempt, see
 * `truth-times.ts`.
 */
export const RETRY_POLICIES: RetryPolicies = {
  seed: { maxAttempts: 6, delay: { kind: 'exponential', baseSeconds: 5 * MINUTE, capSeconds: HOUR } },
  query: { maxAttempts: 4, delay: { kind: 'listed', seconds: [60, 300, 900] } },
  poll: { maxAttempts: 20, delay: { kind: 'fixed', seconds: 300 } },
  verify: { maxAttempts: 4, delay: { kind: 'exponential', baseSeconds: MINUTE, capSeconds: 15 * MINUTE } },
  day1: { maxAttempts: 4, delay: { kind: 'exponential', baseSeconds: 5 * MINUTE, capSeconds: HOUR } },
  era5: { maxAttempts: 5, delay: { kind: 'exponential', baseSeconds: 5 * MINUTE, capSeconds: 3 * HOUR } },
  aggregate: { maxAttempts: 4, delay: { kind: 'exponential', baseSeconds: MINUTE, capSeconds: HOUR } },
};

/** Seconds from a failed attempt to the next one; null when it was the last. */
export function retryDelaySeconds(
  step: RetriedStep,
  attempt: number,
  policies: RetryPolicies = RETRY_POLICIES,
): number | null {
  const { maxAttempts, delay } = policies[step];
  const seconds = delayAfter(delay, attempt);
  return attempt >= maxAttempts ? null : seconds;
}
