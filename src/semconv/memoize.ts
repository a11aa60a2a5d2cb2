/** Most results that are kept. */
const MOST = 1000;

/**
 * Memoizes a function of one string or number. Errors are not cached. At its limit the cache is cleared as a whole, so
 * that a long-lived process does not keep the keys of last week.
 */
export function memoize<Result, Key extends string | number = string>(
  read: (key: Key) => Result,
): (key: Key) => Result {
  const known = new Map<Key, Result>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const result = read(key);
    if (known.size >= MOST) known.clear();
    known.set(key, result);
    return result;
  };
}
