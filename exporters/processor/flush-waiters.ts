import type { Scheduler } from '#lifecycle/scheduler';

interface Waiter {
  /** The count of settled spans at which it resolves. */
  readonly settled: number;
  readonly resolve: () => void;
}

/**
 * Resolves a flush when every span that was queued at its call has left. The queue is first in, first out, so two counters
 * suffice as watermarks: spans accepted, and spans settled.
 */
export class FlushWaiters {
  #accepted = 0;
  #settled = 0;
  #waiters: Waiter[] = [];

  /** Whether a flush is pending. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Counts spans that were queued. */
  accept(spans = 1): void {
    this.#accepted += spans;
  }

  /** Counts spans that left, exported or dropped, and resolves the flushes that are complete. */
  settle(spans: number): void {
    this.#settled += spans;
    const isDone = (waiter: Waiter): boolean => waiter.settled <= this.#settled;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const waiter of done) waiter.resolve();
  }

  /** Resolves to true once all spans queued at the call have left, or to false at the timeout. */
  wait(scheduler: Scheduler, timeoutMillis: number): Promise<boolean> {
    if (this.#settled === this.#accepted) return Promise.resolve(true);
    return new Promise((resolve) => {
      const expire = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(false);
      };
      const cancel = scheduler.schedule(timeoutMillis, expire, { keepsProcessAlive: true });
      const waiter: Waiter = {
        settled: this.#accepted,
        resolve: () => {
          cancel();
          resolve(true);
        },
      };
      this.#waiters.push(waiter);
    });
  }
}
