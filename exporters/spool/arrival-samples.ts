/** Capacity; when it is exceeded, every other sample is discarded and the sampling interval doubles. */
const MAX_SAMPLES = 4096;

interface Sample {
  readonly sequence: number;
  readonly at: number;
}

/** Downsampled arrival times of records, in bounded memory: pairs of a record number and its arrival, ms. */
export class ArrivalSamples {
  #samples: Sample[] = [];

  readonly #resolutionMillis: number;

  /** Smallest interval between two samples, ms; it doubles with each downsampling and is reset when the queue is drained. */
  #gapMillis: number;

  constructor(resolutionMillis = 50) {
    this.#resolutionMillis = resolutionMillis;
    this.#gapMillis = resolutionMillis;
  }

  add(sequence: number, at: number): void {
    const newest = this.#samples.at(-1);
    if (newest !== undefined && at - newest.at < this.#gapMillis) return;
    this.#samples.push({ sequence, at });
    if (this.#samples.length <= MAX_SAMPLES) return;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    this.#gapMillis *= 2;
  }

  /**
   * The arrival of a record, ms, or a slightly earlier instant, so that an age is never underestimated; null without samples.
   * Discards older samples: records leave in order.
   */
  arrivalOf(sequence: number): number | null {
    const later = this.#samples.findIndex((sample) => sample.sequence > sequence);
    const index = (later === -1 ? this.#samples.length : later) - 1;
    if (index > 0) this.#samples.splice(0, index);
    if (this.#samples.length <= 1) this.#gapMillis = this.#resolutionMillis;
    return this.#samples[0]?.at ?? null;
  }
}
