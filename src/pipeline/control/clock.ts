/** Tells the time; the pipeline has no other. */
export interface Clock {
  now(): Date;
}
