/** How far the clock of a miner may differ from ours: the window in which its protocol accepts a request. */
const CLOCK_SKEW_MILLIS = 120_000;

/** What the start that a miner reports is held against, all by the clock of the validator. */
export interface InferenceTimes {
  /** Null when it is not known. */
  readonly acceptedAt: Date | null;
  /** When the reply was read. */
  readonly now: Date;
}

/**
 * The start of the inference by the miner's own word; null where it says none, or one that cannot be: in the future, or
 * before the acceptance by more than a difference of clocks. Then the acceptance counts as the start, as without a word.
 */
export function plausibleStart(startedAt: Date | null, { acceptedAt, now }: InferenceTimes): Date | null {
  if (startedAt === null || !(startedAt <= now)) return null;
  const earliest = acceptedAt === null ? -Infinity : acceptedAt.getTime() - CLOCK_SKEW_MILLIS;
  return startedAt.getTime() < earliest ? null : startedAt;
}
