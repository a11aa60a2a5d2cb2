import { CategorizedError } from '#semconv';

/**
 * Races work against a timer that does not keep the process alive. A later result of the work is ignored.
 *
 * @throws CategorizedError `timeout` after `millis`
 */
export async function withDeadline<Value>(
  work: () => Promise<Value>,
  millis: number,
  { what }: { what: string },
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new CategorizedError('timeout', `${what} took longer than ${millis} ms`, { retryable: true })),
      millis,
    );
    timer.unref();
  });
  try {
    return await Promise.race([work(), expired]);
  } finally {
    clearTimeout(timer);
  }
}
