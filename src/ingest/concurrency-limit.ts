/** Semaphore without a queue. */
export interface ConcurrencyLimit {
  /** @returns an idempotent release; null when no slot is free */
  acquire(): (() => void) | null;
}

/** A semaphore with `count` free slots. */
export function createConcurrencyLimit(count: number): ConcurrencyLimit {
  let free = count;
  return {
    acquire: () => {
      if (free === 0) return null;
      free -= 1;
      let isTaken = true;
      return () => {
        if (isTaken) free += 1;
        isTaken = false;
      };
    },
  };
}
