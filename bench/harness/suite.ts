/** How much is measured: `quick` only shows that a benchmark still runs, `full` is what docs/performance.md quotes. */
export type Scale = 'quick' | 'full';

/** Takes one measurement; the harness asks for one in every round. */
export type Measure = () => number | Promise<number>;

/** What a number has to be, made of the medians of the sides. */
export interface Target {
  /** What the number is, in words: `added time, times that of the SDK`. */
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
  /** Of every measurement: `ns`, `spans/s`, `MiB`. */
  readonly unit: string;
  /** By name, ours first. */
  readonly sides: Readonly<Record<string, Measure>>;
  readonly targets: readonly Target[];
  /** Rounds if not as many as usual: what takes minutes, or keeps what it did. */
  readonly rounds?: number;
}

/** Comparisons that share what they need. They run one after the other. */
export interface Suite {
  readonly comparisons: readonly Comparison[];
  close(): Promise<void>;
}

/** A suite that has not been opened. */
export interface SuiteSource {
  readonly name: string;
  open(scale: Scale): Promise<Suite>;
}
