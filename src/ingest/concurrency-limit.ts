/** A number of things that may be done at once. */
export interface ConcurrencyLimit {
  /** @returns what gives the slot back, once; null when all are taken */
  acquire(): (() => void) | null;
}

/** So many slots, all of them free. */
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
