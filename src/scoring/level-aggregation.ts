import { finiteOrNull } from './mean.ts';

/**
 * Weighted mean over pressure levels, renormalised over the levels whose value is finite (domain 4.2, 4.4). A missing
 * level is unknown and left out; it does not count 0.
 *
 * @param values one per level: skill, ACC, MAE, bias, MSE; null when unknown
 * @param weights thickness weights of the same levels, see `thicknessWeights`
 * @returns null when no level with weight is known
 * @throws RangeError when values and weights differ in length
 */
export function levelMean(values: readonly (number | null)[], weights: ArrayLike<number>): number | null {
  if (values.length !== weights.length) {
    throw new RangeError(
      `Each level needs one weight, got ${values.length} values and ${weights.length} weights.`,
    );
  }
  let sum = 0;
  let total = 0;
  values.forEach((value, level) => {
    const known = finiteOrNull(value);
    if (known === null) return;
    const weight = weights[level] ?? 0;
    sum += weight * known;
    total += weight;
  });
  return finiteOrNull(sum / total);
}

/** RMSE over pressure levels: sqrt of the weighted mean of their MSEs, not the mean of their RMSEs (domain 4.4). */
export function levelRmse(mses: readonly (number | null)[], weights: ArrayLike<number>): number | null {
  const mse = levelMean(mses, weights);
  return mse === null ? null : finiteOrNull(Math.sqrt(mse));
}
