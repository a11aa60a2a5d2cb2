/**
 * Sums that do not depend on the order of their terms: each term becomes a whole number of 1e-12 units before it is
 * added, and whole numbers add exactly. Kept as text, since a sum of squares outgrows a double.
 */
export interface ExactSum {
  readonly sum: string;
  readonly squares: string;
  readonly count: number;
}

export const emptySum: ExactSum = { sum: '0', squares: '0', count: 0 };

const SCALE = 1e12;

/** Adds a value, or takes it away again with `sign` −1; null is no value. */
export function addToSum(total: ExactSum, value: number | null, sign: 1 | -1 = 1): ExactSum {
  if (value === null || !Number.isFinite(value * SCALE)) return total;
  const units = BigInt(Math.round(value * SCALE));
  const direction = BigInt(sign);
  return {
    sum: (BigInt(total.sum) + direction * units).toString(),
    squares: (BigInt(total.squares) + direction * units * units).toString(),
    count: total.count + sign,
  };
}

/** Takes one value away and adds another in its place. */
export const replaceInSum = (total: ExactSum, before: number | null, after: number | null): ExactSum =>
  before === after ? total : addToSum(addToSum(total, before, -1), after);

export const totalOf = (total: ExactSum): number => Number(BigInt(total.sum)) / SCALE;

/** Null when there is no value. */
export const meanOf = (total: ExactSum): number | null =>
  total.count === 0 ? null : totalOf(total) / total.count;

/** Sample standard deviation (n − 1); null below two values. */
export function standardDeviationOf(total: ExactSum): number | null {
  if (total.count < 2) return null;
  const count = BigInt(total.count);
  const sum = BigInt(total.sum);
  const spread = count * BigInt(total.squares) - sum * sum;
  return Math.sqrt(Number(spread) / Number(count * (count - 1n))) / SCALE;
}
