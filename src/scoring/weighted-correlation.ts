import type { Comoments } from './comoments.ts';
import { finiteOrNull } from './mean.ts';

/** Below this standard deviation, in the unit of the variable, a field is constant and has no correlation. */
const SMALLEST_STANDARD_DEVIATION = 1e-12;

/**
 * Weighted, centred Pearson correlation, clipped to [-1, 1] (domain 4.2: sum w x'y' / sqrt(sum w x'^2 sum w y'^2)).
 *
 * @returns null for an empty sample, and where either standard deviation is below 1e-12
 */
export function weightedCorrelation(pairs: Comoments): number | null {
  const deviationX = Math.sqrt(pairs.squaresX / pairs.weight);
  const deviationY = Math.sqrt(pairs.squaresY / pairs.weight);
  if (!(deviationX >= SMALLEST_STANDARD_DEVIATION && deviationY >= SMALLEST_STANDARD_DEVIATION)) return null;
  const correlation = pairs.products / pairs.weight / deviationX / deviationY;
  return finiteOrNull(Math.min(1, Math.max(-1, correlation)));
}
