/** How the pauses between the attempts to export a batch grow. */
export interface BackoffPolicy {
  readonly firstMillis: number;
  readonly maxMillis: number;
}

/**
 * Pause before the next attempt, ms: doubled with each attempt up to the cap, and of that a random part between half and
 * all, so that many processes do not come back at the same instant.
 *
 * @param attempt attempts made so far, from 1
 * @param random from 0 to 1
 */
export function backoffMillis(attempt: number, random: number, policy: BackoffPolicy): number {
  const full = Math.min(policy.maxMillis, policy.firstMillis * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (random * full) / 2;
}
