/** What a step cost the process, roughly: other work that runs at the same time is in it. */
export interface Profile {
  /** CPU time of the process, user and system, ms. */
  readonly cpuMillis: number;
  /** Longest that the event loop was held, ms, to within the interval at which it is looked at. */
  readonly eventLoopDelayMillis: number;
  /** Largest resident memory of the process so far, bytes. */
  readonly peakMemoryBytes: number;
}

export type FinishProfile = () => Profile;

/** How often the event loop is looked at, ms. */
const INTERVAL_MILLIS = 10;

/**
 * Starts a measurement; the returned function stops it and gives the result.
 *
 * A timer is late by as long as the event loop is held. A histogram of the runtime would miss what is held at the very
 * end of a step, before the timer fires again; here that stretch counts, too.
 */
export function startProfile(): FinishProfile {
  const cpuBefore = process.cpuUsage();
  let lastTick = performance.now();
  let longest = 0;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - lastTick - INTERVAL_MILLIS);
    lastTick = now;
  };
  const timer = setInterval(look, INTERVAL_MILLIS);
  timer.unref();
  return () => {
    clearInterval(timer);
    look();
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      cpuMillis: (user + system) / 1000,
      eventLoopDelayMillis: longest,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  };
}
