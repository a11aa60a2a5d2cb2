import { finiteOrNull } from './mean.ts';

/**
 * Mean-square skill score: 1 - mse / referenceMse (domain 4.2); 1 is perfect, 0 is as good as the reference, negative
 * is worse.
 *
 * A perfect reference (mse 0) can only be equalled: 1 when `mse` is 0 as well, otherwise null, never -Infinity.
 *
 * @param mse of the bias-corrected forecast; null when unknown
 * @param referenceMse of the reference against the same truth, same unit; null when unknown
 */
export function skillScore(mse: number | null, referenceMse: number | null): number | null {
  if (mse === null || referenceMse === null) return null;
  if (referenceMse === 0) return mse === 0 ? 1 : null;
  return finiteOrNull(1 - mse / referenceMse);
}

/**
 * Clamps a value to [0, 1]. Finite values only: callers test finiteness first, because a clamped NaN can become a
 * perfect score.
 */
export function clampToUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
