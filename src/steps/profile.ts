/** Cost of a step, measured for the whole process: it includes all work that ran at the same time. */
export interface Profile {
  /** CPU time of the process, user and system, ms. */
  readonly cpuMillis: number;
  /** Longest block of the event loop, ms, to within the sampling interval. */
  readonly eventLoopDelayMillis: number;
  /** Largest resident memory of the process so far, bytes. */
  readonly peakMemoryBytes: number;
}

export type FinishProfile = () => Profile;

/** Sampling interval of the event loop. */
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
  const sample = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - lastTick - INTERVAL_MILLIS);
    lastTick = now;
  };
  const timer = setInterval(sample, INTERVAL_MILLIS);
  timer.unref();
  return () => {
    clearInterval(timer);
    sample();
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      cpuMillis: (user + system) / 1000,
      eventLoopDelayMillis: longest,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  };
}
