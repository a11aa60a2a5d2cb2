/** Weighted mean and sum of squares of a sample: a form in which two samples can be merged without cancellation. */
export interface Moments {
  /** Sum of the weights; 0 for an empty sample. */
  readonly weight: number;
  /** Weighted mean; 0 for an empty sample. */
  readonly mean: number;
  /** Weighted sum of squared distances from the mean. */
  readonly squares: number;
}

/** Identity element: the moments of no value. */
export const NO_MOMENTS: Moments = { weight: 0, mean: 0, squares: 0 };

/** Merges two samples (parallel algorithm of Chan, Golub and LeVeque 1979). A sample without weight changes nothing. */
export function joinMoments(left: Moments, right: Moments): Moments {
  if (!(right.weight > 0)) return left;
  const weight = left.weight + right.weight;
  const share = right.weight / weight;
  const distance = right.mean - left.mean;
  return {
    weight,
    mean: left.mean + distance * share,
    squares: left.squares + right.squares + distance * distance * left.weight * share,
  };
}

/** Weighted mean of (x - centre)^2 over the sample: variance plus the squared distance of the mean. NaN when empty. */
export function meanSquareAround(moments: Moments, centre: number): number {
  return moments.squares / moments.weight + (moments.mean - centre) ** 2;
}
