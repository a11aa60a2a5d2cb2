/**
 * Fixed-point sums: each term is rounded to a whole number of 1e-12 units, and integers add exactly. So the result does
 * not depend on the order of terms, and a term can be subtracted again. Stored as text, since a sum of squares outgrows
 * a double.
 */
export interface ExactSum {
  readonly sum: string;
  readonly squares: string;
  readonly count: number;
}

export const emptySum: ExactSum = { sum: '0', squares: '0', count: 0 };

const SCALE = 1e12;

/** Mutable draft of a sum. */
export interface SumDraft {
  sum: bigint;
  squares: bigint;
  count: number;
}

/** Mutable copy; the sum itself stays unchanged. */
export const toSumDraft = ({ sum, squares, count }: ExactSum): SumDraft => ({
  sum: BigInt(sum),
  squares: BigInt(squares),
  count,
});

export const fromSumDraft = ({ sum, squares, count }: SumDraft): ExactSum => ({
  sum: sum.toString(),
  squares: squares.toString(),
  count,
});

/** Adds a value, or subtracts it with `sign` −1; ignores null. */
export function addToSum(draft: SumDraft, value: number | null, sign: 1 | -1 = 1): void {
  if (value === null || !Number.isFinite(value * SCALE)) return;
  const units = BigInt(Math.round(value * SCALE));
  const square = units * units;
  draft.sum += sign === 1 ? units : -units;
  draft.squares += sign === 1 ? square : -square;
  draft.count += sign;
}

/** Subtracts one value and adds another. */
export function replaceInSum(draft: SumDraft, before: number | null, after: number | null): void {
  if (before === after) return;
  addToSum(draft, before, -1);
  addToSum(draft, after);
}

export const totalOf = (total: ExactSum): number => Number(BigInt(total.sum)) / SCALE;

/** Null when there is no value. */
export const meanOf = (total: ExactSum): number | null =>
  total.count === 0 ? null : totalOf(total) / total.count;

/**
 * The mean, within the least and the greatest term where they are known. Terms are rounded to 1e-12, so that the mean of
 * equal terms could otherwise exceed them all.
 */
export function meanWithin(total: ExactSum, least: number | null, greatest: number | null): number | null {
  const mean = meanOf(total);
  return mean === null ? null : Math.min(Math.max(mean, least ?? -Infinity), greatest ?? Infinity);
}

/** Sample standard deviation (n − 1); null below two values. */
export function standardDeviationOf(total: ExactSum): number | null {
  if (total.count < 2) return null;
  const count = BigInt(total.count);
  const sum = BigInt(total.sum);
  const spread = count * BigInt(total.squares) - sum * sum;
  return Math.sqrt(Number(spread) / Number(count * (count - 1n))) / SCALE;
}
