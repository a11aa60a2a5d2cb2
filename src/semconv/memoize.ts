/** How many answers are kept. */
const MOST = 1000;

/**
 * The same few texts or numbers come again and again: what `read` made of them is kept. An error is not. When there are
 * too many, all are forgotten, so that those of today take the place of those of last week.
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
