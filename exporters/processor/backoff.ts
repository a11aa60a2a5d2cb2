/** Exponential backoff between the attempts to export a batch. */
export interface BackoffPolicy {
  readonly firstMillis: number;
  readonly maxMillis: number;
}

/**
 * Capped exponential backoff with equal jitter, ms: doubled with each attempt up to the cap, of which a random part between
 * half and all is waited. Without jitter all processes would retry at the same instant after an outage.
 *
 * @param attempt attempts made so far, from 1
 * @param random from 0 to 1
 */
export function backoffMillis(attempt: number, random: number, policy: BackoffPolicy): number {
  const full = Math.min(policy.maxMillis, policy.firstMillis * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (random * full) / 2;
}
