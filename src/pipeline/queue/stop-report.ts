/** What became of the steps that were under way when a stop was asked for. */
export interface StopReport {
  /** Steps that came to their end in time. */
  readonly finished: number;
  /** Steps that did not and were let go of: whoever works on the queue next does them again. */
  readonly left: number;
}

/** Nothing was under way. */
export const NOTHING_UNDER_WAY: StopReport = { finished: 0, left: 0 };
