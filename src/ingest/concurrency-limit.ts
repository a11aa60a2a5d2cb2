/** Semaphore with a line of those who wait, first come, first served. */
export interface ConcurrencyLimit {
  /** @returns an idempotent release; null when no slot became free in time */
  acquire(): Promise<(() => void) | null>;
}

/** A semaphore with `count` free slots. Who waits longer than `patienceMillis` gets none. */
export function createConcurrencyLimit(count: number, patienceMillis: number): ConcurrencyLimit {
  let free = count;
  const waiting = new Set<(release: () => void) => void>();
  const newRelease = (): (() => void) => {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const [next] = waiting;
      if (next === undefined) free += 1;
      else next(newRelease());
    };
  };
  return {
    acquire: () => {
      if (free === 0) return waitIn(waiting, patienceMillis);
      free -= 1;
      return Promise.resolve(newRelease());
    },
  };
}

function waitIn(
  waiting: Set<(release: () => void) => void>,
  patienceMillis: number,
): Promise<(() => void) | null> {
  return new Promise((resolve) => {
    const leave = (release: (() => void) | null): void => {
      clearTimeout(timer);
      waiting.delete(leave);
      resolve(release);
    };
    const timer = setTimeout(leave, patienceMillis, null);
    waiting.add(leave);
  });
}
