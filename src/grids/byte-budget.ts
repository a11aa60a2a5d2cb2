/** Bytes of memory that reads may hold together. */
export interface ByteBudget {
  /** Does the work once its bytes are free, first come, first served. Work larger than the whole budget is done alone. */
  run<T>(bytes: number, work: () => Promise<T>): Promise<T>;
}

/** A semaphore over bytes: who finds too few waits, and does not fail. Work must not ask for more of the budget itself. */
export function createByteBudget(total: number): ByteBudget {
  let free = total;
  const waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  const beginNext = (): void => {
    for (let [next] = waiting; next !== undefined && next.bytes <= free; [next] = waiting) {
      waiting.shift();
      free -= next.bytes;
      next.begin();
    }
  };
  return {
    async run(wanted, work) {
      const bytes = Math.min(wanted, total);
      await new Promise<void>((begin) => {
        waiting.push({ bytes, begin });
        beginNext();
      });
      try {
        return await work();
      } finally {
        free += bytes;
        beginNext();
      }
    },
  };
}

/** A global field at 0.25 degrees in double precision is an ordinary one. */
const LARGE_PART = 16;

/**
 * A budget in two halves, one for what is larger than a sixteenth of it: a server that sends large chunks slowly keeps no ordinary
 * field waiting.
 */
export function createFieldBudget(total: number): ByteBudget {
  const [ordinary, large] = [createByteBudget(total / 2), createByteBudget(total / 2)];
  return { run: (bytes, work) => (bytes > total / LARGE_PART ? large : ordinary).run(bytes, work) };
}

/** All fields of the process that are being read: memory is one, however many stores and miners there are. */
export const processBudget = createFieldBudget(2 ** 29);
