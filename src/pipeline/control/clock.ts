/** The time source of the pipeline; injected, so that tests control it. */
export interface Clock {
  now(): Date;
}
