/** What was opened and has to be closed again. */
export interface Closers {
  /** Notes how to close what was just opened. */
  readonly add: (close: () => Promise<unknown>) => void;
  /**
   * Closes everything, last opened first, each after the one before has ended, whatever it threw. Doing it twice is
   * the same as once.
   *
   * @throws the first error of a closer, when all of them have been called
   */
  readonly close: () => Promise<void>;
}

/** An empty list of what has to be closed. */
export function createClosers(): Closers {
  const opened: (() => Promise<unknown>)[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const close of opened.reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  };
  return { add: (close) => opened.push(close), close: () => (closing ??= closeAll()) };
}

/**
 * Opens several things in order, all or none: when one cannot be opened, those before it are closed again.
 *
 * @throws what opening threw; an error of closing then does not hide it
 */
export async function openAll<Opened>(open: (closers: Closers) => Promise<Opened>): Promise<Opened> {
  const closers = createClosers();
  try {
    return await open(closers);
  } catch (error) {
    await closers.close().catch(() => undefined);
    throw error;
  }
}
