/**
 * Backoff: how the delay before the next attempt grows. All values in seconds; attempts are counted from 1.
 *
 * `listed` holds the delay after attempt n at index n − 1; its last entry repeats.
 */
export type DelayRule =
  | { readonly kind: 'fixed'; readonly seconds: number }
  | { readonly kind: 'listed'; readonly seconds: readonly [number, ...number[]] }
  | { readonly kind: 'linear'; readonly baseSeconds: number; readonly capSeconds?: number }
  | { readonly kind: 'exponential'; readonly baseSeconds: number; readonly capSeconds?: number };

/** base · 2^(n-1), seconds. */
export const exponentialDelay = (baseSeconds: number, attempt: number): number =>
  baseSeconds * 2 ** (requireAttempt(attempt) - 1);

/** base · n, seconds. */
export const linearDelay = (baseSeconds: number, attempt: number): number =>
  baseSeconds * requireAttempt(attempt);

/** At most `capSeconds`; without a cap the delay itself. */
export const cappedDelay = (seconds: number, capSeconds = Infinity): number => Math.min(seconds, capSeconds);

/** The delay after the given attempt, seconds. @throws RangeError for an attempt that is not 1, 2, 3, … */
export function delayAfter(rule: DelayRule, attempt: number): number {
  const index = requireAttempt(attempt) - 1;
  switch (rule.kind) {
    case 'fixed':
      return rule.seconds;
    case 'listed':
      return rule.seconds[Math.min(index, rule.seconds.length - 1)] ?? rule.seconds[0];
    case 'linear':
      return cappedDelay(linearDelay(rule.baseSeconds, attempt), rule.capSeconds);
    case 'exponential':
      return cappedDelay(exponentialDelay(rule.baseSeconds, attempt), rule.capSeconds);
  }
}

function requireAttempt(attempt: number): number {
  if (Number.isInteger(attempt) && attempt >= 1) return attempt;
  throw new RangeError(`Attempts are counted 1, 2, 3, …; got ${attempt}.`);
}
