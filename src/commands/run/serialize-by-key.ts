/**
 * Memoizes an async function by key and serializes its calls, first come, first served: run concurrently on one
 * machine, all results would be late.
 *
 * @param keyOf the memo key; subjects with the same key share one result
 * @param options `signal` cancels calls that are not begun; they reject with the signal's reason
 */
export function serializeByKey<Subject, Made>(
  make: (subject: Subject) => Promise<Made>,
  keyOf: (subject: Subject) => unknown,
  { signal }: { readonly signal: AbortSignal },
): (subject: Subject) => Promise<Made> {
  const made = new Map<unknown, Promise<Made>>();
  let last: Promise<unknown> = Promise.resolve();
  return (subject) => {
    const known = made.get(keyOf(subject));
    if (known !== undefined) return known;
    const next = last.then(() => {
      signal.throwIfAborted();
      return make(subject);
    });
    last = next.catch(() => undefined);
    made.set(keyOf(subject), next);
    return next;
  };
}
