/** Monotonic time and timers, injected; a test brings its own. */
export interface Scheduler {
  /** Monotonic, ms. */
  now(): number;
  /** Calls back once after a delay; the function that it returns cancels that. */
  schedule(delayMillis: number, callback: () => void, options?: ScheduleOptions): () => void;
}

export interface ScheduleOptions {
  /** Whether the process waits for it before it exits; only while somebody awaits a flush. */
  readonly keepsProcessAlive?: boolean;
}

/** The timers of the process. */
export const systemScheduler: Scheduler = {
  now: () => performance.now(),
  schedule(delayMillis, callback, options = {}) {
    const timer = setTimeout(callback, delayMillis);
    if (options.keepsProcessAlive !== true) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
