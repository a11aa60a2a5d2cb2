/** A number of things that may be done at once. */
export interface Slots {
  /** @returns what gives the slot back, once; null when all are taken */
  take(): (() => void) | null;
}

/** So many slots, all of them free. */
export function createSlots(count: number): Slots {
  let free = count;
  return {
    take: () => {
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
