/** Resources that were acquired and have to be released again, as `AsyncDisposableStack` keeps them. */
export interface ResourceStack {
  /** Notes how to release what was just acquired. */
  readonly add: (release: () => Promise<unknown>) => void;
  /**
   * Releases everything, last acquired first, each after the one before has ended, whatever it threw. Idempotent.
   *
   * @throws the first error of a release, when all of them have been called
   */
  readonly close: () => Promise<void>;
}

/** An empty stack. */
export function createResourceStack(): ResourceStack {
  const releases: (() => Promise<unknown>)[] = [];
  let closing: Promise<void> | undefined;
  const releaseAll = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const release of releases.reverse()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  };
  return { add: (release) => releases.push(release), close: () => (closing ??= releaseAll()) };
}

/**
 * Acquires several resources in order, all or none: when one cannot be had, those before it are released again.
 *
 * @throws what acquiring threw; an error of a release then does not hide it
 */
export async function acquireAll<Acquired>(
  acquire: (stack: ResourceStack) => Promise<Acquired>,
): Promise<Acquired> {
  const stack = createResourceStack();
  try {
    return await acquire(stack);
  } catch (error) {
    await stack.close().catch(() => undefined);
    throw error;
  }
}
