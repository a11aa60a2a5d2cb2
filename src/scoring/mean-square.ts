import { finiteOrNull } from './mean.ts';

/** A weighted mean of squares that is still being summed. */
export interface MeanSquare {
  readonly weight: number;
  readonly sum: number;
}

/** Identity element: the mean of no squares. */
export const NO_SQUARES: MeanSquare = { weight: 0, sum: 0 };

/** Adds the squares of one row, all of whose points have the same weight. */
export function addRowSquares(
  total: MeanSquare,
  row: { readonly count: number; readonly sum: number },
  weight: number,
): MeanSquare {
  return { weight: total.weight + weight * row.count, sum: total.sum + weight * row.sum };
}

/** sum w x^2 / sum w; null when no point had weight, or when the sum left the range of a double. */
export function meanOfSquares({ weight, sum }: MeanSquare): number | null {
  return finiteOrNull(sum / weight);
}
