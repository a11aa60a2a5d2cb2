/** The attempt failed and another one is queued. */
export interface Retry {
  readonly kind: 'retry';
  readonly error: unknown;
  /** What the queue was given. */
  readonly nextRetryTime: Date;
}

/** The step failed for good. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: unknown;
}

/** Another worker had made the transition before; nothing was changed, and the forecast keeps its state. */
export interface Superseded {
  readonly kind: 'superseded';
}

/** The truth that a score needs is not there yet. Uses up no attempt. */
export interface WaitingForTruth {
  readonly kind: 'waiting_for_truth';
  readonly nextRetryTime: Date;
  /** When truth is due, by the calendar of the weather. */
  readonly dueTime: Date;
  /** Why the step waits, for the operator. */
  readonly reason: string;
}
