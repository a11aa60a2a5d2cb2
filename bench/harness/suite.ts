/** The size of a measurement: `quick` only proves that a benchmark still runs, `full` gives the figures of docs/performance.md. */
export type Scale = 'quick' | 'full';

/** Takes one measurement; the harness calls it once per round. */
export type Measure = () => number | Promise<number>;

/** A bound on a number that is computed from the medians of the sides. */
export interface Target {
  /** Name of the number: `added time, times that of the SDK`. */
  readonly what: string;
  /** From the medians, or (for one round of it) from the measurements of a round, by side. */
  readonly value: (by: Readonly<Record<string, number>>) => number;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly unit?: string;
}

/** Things measured side by side, one measurement of each in every round, the order rotated. */
export interface Comparison {
  readonly name: string;
  /** Unit of every measurement: `ns`, `spans/s`, `MiB`. */
  readonly unit: string;
  /** Sides by name, ours first. */
  readonly sides: Readonly<Record<string, Measure>>;
  readonly targets: readonly Target[];
  /** Rounds other than the default: for measurements that take minutes or accumulate state. */
  readonly rounds?: number;
}

/** Comparisons that share resources; run sequentially. */
export interface Suite {
  readonly comparisons: readonly Comparison[];
  close(): Promise<void>;
}

/** A suite that is not opened yet. */
export interface SuiteSource {
  readonly name: string;
  open(scale: Scale): Promise<Suite>;
}
