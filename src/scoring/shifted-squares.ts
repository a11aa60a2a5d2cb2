/** Sums over values that are taken about a shift, which is one of them. */
export interface ShiftedSquares {
  readonly count: number;
  readonly shift: number;
  readonly sum: number;
  readonly squares: number;
}

/** The sum of squares about the mean. */
export const squaresAboutMean = ({ count, sum, squares }: Omit<ShiftedSquares, 'shift'>): number =>
  Math.max(0, squares - (sum * sum) / count);

/** The sum of squares about zero, made of what cannot be negative so that nothing cancels. */
export const squaresAboutZero = (values: ShiftedSquares): number =>
  squaresAboutMean(values) + values.count * (values.shift + values.sum / values.count) ** 2;
