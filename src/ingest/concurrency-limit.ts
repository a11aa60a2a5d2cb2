/** Semaphore whose slots go to the lightest of those who wait. */
export interface ConcurrencyLimit {
  /**
   * @param weight of what waits: among equals the first to come is the first to be served
   * @returns an idempotent release; null when no slot became free in time
   */
  acquire(weight: number): Promise<(() => void) | null>;
}

interface Waiting {
  readonly weight: number;
  readonly serve: (release: () => void) => void;
}

/**
 * A semaphore with `count` free slots. Who waits longer than `patienceMillis` gets none.
 *
 * The lightest goes first: however many large requests wait, a small one is held up by those alone that are being served.
 */
export function createConcurrencyLimit(count: number, patienceMillis: number): ConcurrencyLimit {
  let free = count;
  const waiting = new Set<Waiting>();
  const newRelease = (): (() => void) => {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const next = lightestOf(waiting);
      if (next === undefined) free += 1;
      else next.serve(newRelease());
    };
  };
  return {
    acquire: (weight) => {
      if (free === 0) return waitIn(waiting, weight, patienceMillis);
      free -= 1;
      return Promise.resolve(newRelease());
    },
  };
}

function lightestOf(waiting: ReadonlySet<Waiting>): Waiting | undefined {
  let lightest: Waiting | undefined;
  for (const one of waiting) if (lightest === undefined || one.weight < lightest.weight) lightest = one;
  return lightest;
}

function waitIn(waiting: Set<Waiting>, weight: number, patienceMillis: number): Promise<(() => void) | null> {
  return new Promise((resolve) => {
    const leave = (release: (() => void) | null): void => {
      clearTimeout(timer);
      waiting.delete(one);
      resolve(release);
    };
    const one: Waiting = { weight, serve: leave };
    const timer = setTimeout(leave, patienceMillis, null);
    waiting.add(one);
  });
}
