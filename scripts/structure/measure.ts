/** A figure about the tree: a lower one is better, unless it is a share that has to lie within a budget. */
export interface Measure {
  readonly key: string;
  /** At most 46 characters, so that the table fits a terminal. */
  readonly title: string;
  readonly value: number;
  /** What the figure counts, the worst first; empty for a quantile. */
  readonly findings: readonly string[];
  /** What to do when the figure is worse. */
  readonly advice: string;
}
