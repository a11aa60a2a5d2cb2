import type { Scheduler } from '#lifecycle/scheduler';

interface Waiter {
  /** How many spans must have left for it to be done. */
  readonly settled: number;
  readonly resolve: () => void;
}

/**
 * Tells when the spans that are here now have all left. Spans leave in the order in which they came, so two numbers are
 * enough: how many came, and how many left.
 */
export class FlushWaiters {
  #accepted = 0;
  #settled = 0;
  #waiters: Waiter[] = [];

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Spans came. */
  accept(spans = 1): void {
    this.#accepted += spans;
  }

  /** Spans left, exported or dropped. */
  settle(spans: number): void {
    this.#settled += spans;
    const isDone = (waiter: Waiter): boolean => waiter.settled <= this.#settled;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const waiter of done) waiter.resolve();
  }

  /** Whether all spans that are here now left within the time; resolves as soon as that is known. */
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
