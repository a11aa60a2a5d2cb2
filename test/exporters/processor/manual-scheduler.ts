import type { Scheduler } from '#lifecycle/scheduler';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
  readonly keepsProcessAlive: boolean;
}

/** A clock that only moves when a test moves it. */
export class ManualScheduler implements Scheduler {
  #now = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  schedule(
    delayMillis: number,
    callback: () => void,
    options: { keepsProcessAlive?: boolean } = {},
  ): () => void {
    const { keepsProcessAlive = false } = options;
    const timer = { at: this.#now + delayMillis, callback, keepsProcessAlive };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Pending timers, soonest first: in how many ms, and whether they keep the process alive. */
  get pending(): { inMillis: number; keepsProcessAlive: boolean }[] {
    return [...this.#timers]
      .sort((a, b) => a.at - b.at)
      .map(({ at, keepsProcessAlive }) => ({ inMillis: at - this.#now, keepsProcessAlive }));
  }

  /** Advances the clock, calls due timers, and settles the promises that follow from them. */
  async advance(millis: number): Promise<void> {
    const end = this.#now + millis;
    await settlePromises();
    for (let due = this.#dueBy(end); due !== undefined; due = this.#dueBy(end)) {
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = due.at;
      due.callback();
      await settlePromises();
    }
    this.#now = end;
  }

  #dueBy(end: number): Timer | undefined {
    return this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** Resolves when all pending microtasks have run. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
