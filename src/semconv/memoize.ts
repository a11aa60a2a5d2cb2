/** Most results that are kept. */
const MAX_ENTRIES = 1000;

/**
 * Memoizes a function of one string or number. Errors are not cached. At its limit the cache is cleared as a whole, so
 * that a long-lived process does not keep the keys of last week.
 */
export function memoize<Result, Key extends string | number = string>(
  read: (key: Key) => Result,
): (key: Key) => Result {
  const cache = new Map<Key, Result>();
  return (key) => {
    const cachedResult = cache.get(key);
    if (cachedResult !== undefined) return cachedResult;
    const result = read(key);
    if (cache.size >= MAX_ENTRIES) cache.clear();
    cache.set(key, result);
    return result;
  };
}
