/** How a forecast ended, or that it is still on its way. */
export type ForecastOutcome = 'completed' | 'failed' | 'in_flight';

/** One forecast of a miner. */
export interface ForecastHistoryEntry {
  /** T0, milliseconds since 1970 UTC. */
  readonly initTimeMillis: number;
  readonly outcome: ForecastOutcome;
}

/** How many forecasts in a row, up to the newest, ended alike. At most one of both is above 0. */
export interface Streak {
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/**
 * The current streak (domain 5.3): terminal forecasts by init time, newest first, length of the leading block with equal
 * outcome. Forecasts in flight neither count nor break it. Of two forecasts with the same init time the failed one
 * counts as newer, so that the answer does not depend on the order of the input.
 *
 * @param history in any order
 */
export function currentStreak(history: readonly ForecastHistoryEntry[]): Streak {
  const newestFirst = history.filter(({ outcome }) => outcome !== 'in_flight').sort(byNewestThenFailed);
  const newest = newestFirst[0]?.outcome;
  const change = newestFirst.findIndex(({ outcome }) => outcome !== newest);
  const length = change === -1 ? newestFirst.length : change;
  return {
    consecutiveSuccesses: newest === 'completed' ? length : 0,
    consecutiveFailures: newest === 'failed' ? length : 0,
  };
}

function byNewestThenFailed(a: ForecastHistoryEntry, b: ForecastHistoryEntry): number {
  return (
    b.initTimeMillis - a.initTimeMillis || Number(b.outcome === 'failed') - Number(a.outcome === 'failed')
  );
}
