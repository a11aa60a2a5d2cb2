import { CategorizedError } from '#semconv';

/** A promise that is given up on after `millis`; what it gives later is thrown away. The timer keeps no process up. */
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
