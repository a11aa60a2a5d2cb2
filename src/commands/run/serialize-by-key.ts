/**
 * Makes something of each subject, once, one after the other in the order in which they are first asked for: made all
 * at once, all of them would be late.
 *
 * @param keyOf gives equal keys to equal subjects
 * @param options `signal` aborts what is not begun yet; it then rejects with the signal's reason
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
