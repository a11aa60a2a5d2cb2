import { fdatasync } from 'node:fs';

/**
 * Group commit of syncs: one runs at a time, and all calls that come meanwhile share the next one. A sync that began
 * before a call does not count for it, since it may have missed what the caller wrote.
 */
export class GroupSync {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Whether no sync runs or is about to. */
  get isIdle(): boolean {
    return this.#running === null && this.#next === null;
  }

  /** Resolves with the end of the next sync that begins. */
  next(): Promise<void> {
    this.#next ??= this.#begin(this.#running);
    return this.#next;
  }

  async #begin(running: Promise<void> | null): Promise<void> {
    // Whoever waits for the running one hears of its failure.
    await running?.catch(() => undefined);
    this.#running = this.#next;
    this.#next = null;
    try {
      await this.#sync();
    } finally {
      this.#running = null;
    }
  }
}

/** Syncs a file off the event loop. One that was closed meanwhile has nothing that is still needed. */
export function fdatasyncOpen(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(file, (error) => {
      if (error === null || error.code === 'EBADF') resolve();
      else reject(error);
    });
  });
}
