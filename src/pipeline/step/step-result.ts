/** The attempt failed and another one is queued. */
export interface Retry {
  readonly kind: 'retry';
  readonly error: unknown;
  /** The `run_at` of the queued job. */
  readonly nextRetryTime: Date;
}

/** The step failed for good. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: unknown;
}

/** Another worker made the transition first. Nothing was changed, and the span has no status of the forecast. */
export interface Superseded {
  readonly kind: 'superseded';
}

/** The truth that a score needs is not there yet. Uses up no attempt. */
export interface WaitingForTruth {
  readonly kind: 'waiting_for_truth';
  readonly nextRetryTime: Date;
  /** When truth is due by the publication calendar, not scaled by `delayFactor`. */
  readonly dueTime: Date;
  /** Why the step waits, for the operator. */
  readonly reason: string;
}
