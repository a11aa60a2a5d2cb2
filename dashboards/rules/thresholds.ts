import type { StepName } from '#semconv/vocabulary';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Steps that call a miner or decide something: a call times out after 45 s. */
export const SHORT_STEPS = [
  'query',
  'poll',
  'communication',
  'orchestration',
  'aggregate',
] as const satisfies readonly StepName[];

/** Steps that read whole fields: GFS, a miner's store, ERA5. A lead takes several minutes. */
export const LONG_STEPS = ['seed', 'verify', 'day1', 'era5'] as const satisfies readonly StepName[];

/** Retries of these go before all scoring in the queue. */
export const PROMPT_RETRIES = ['seed', 'query', 'poll', 'verify'] as const satisfies readonly StepName[];

/** Up to 256 of these come due at once: the last one waits hours for a worker, which is no fault. */
export const PATIENT_RETRIES = ['day1', 'era5', 'aggregate'] as const satisfies readonly StepName[];

/**
 * Durations above which an alert fires, in seconds of production time. Each exceeds what the pipeline itself waits; the
 * tests compare them with its policies.
 */
export const TOO_LONG_SECONDS = {
  /** Thirteen times the longest time-out; the steps of a dead process are closed within three minutes. */
  shortStep: 10 * MINUTE,
  /** Several times the scoring time of a lead of 69 fields at a quarter of a degree. */
  longStep: 30 * MINUTE,
  /** The queue is polled every few seconds, and a worker is free when the scoring of one lead has ended. */
  promptRetry: 15 * MINUTE,
  /** 256 leads of five minutes on eight workers take 160 minutes. */
  patientRetry: 4 * HOUR,
  /** GFS 00Z is published hours before 18:00; manifests are accepted for 120 minutes, and this leaves 90 of them. */
  gfs: 30 * MINUTE,
  /** Query takes 21 minutes at most and polls 100; by then a forecast exists or has failed. */
  inference: 3 * HOUR,
  /** Truth is checked every hour, and its due time includes six hours of reserve. It is given up 25 days later. */
  truth: 24 * HOUR,
  /** Batches follow each other within a second; a failed one is retried within half a minute. */
  delivery: 5 * MINUTE,
  /** The state is read every few seconds. */
  stateRead: 2 * MINUTE,
} as const;

/** How long a run that failed is told, seconds: until the next one has been made, a day later. */
export const TOLD_SECONDS = 24 * HOUR;

/** Counts and shares at which an alert fires. */
export const TOO_MANY = {
  /** Failed forecasts in a row of one miner: three days. */
  minerFailures: 3,
  /** Share of the miners that worked lately, and number of them, whose newest forecast failed. */
  failingShare: 0.25,
  failingMiners: 3,
  /** A miner that has failed for longer is offline; it is no evidence of a fault today. */
  recentFailures: 2,
  /** Share and number of failed verifications within the window. */
  failedVerificationShare: 0.2,
  failedVerifications: 5,
  /** A spool that is delivered keeps one file of 4 MiB; above this it holds what was not. */
  spoolBytes: 64 * 1024 * 1024,
  /** The recorder itself warns from here on. */
  spoolShare: 0.8,
} as const;

/** One run a day is verified within some hours. */
export const VERIFICATION_WINDOW = '6h';
/** An alert for a tampered forecast fires until the next run. */
export const TAMPERING_WINDOW = '1d';
