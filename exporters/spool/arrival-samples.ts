/** Most samples that are kept; beyond, every other one goes, and new ones come half as often. */
const MAX_SAMPLES = 4096;

interface Sample {
  readonly sequence: number;
  readonly at: number;
}

/** When records came, in bounded memory: some of their numbers with the instants of their arrival, ms. */
export class ArrivalTimes {
  #samples: Sample[] = [];

  readonly #resolutionMillis: number;

  /** Samples that are closer than this to the one before are left out, ms; more while many records wait. */
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

  /** When the record of this number came, or a little earlier; null when nothing is known. Forgets what came before. */
  of(sequence: number): number | null {
    const later = this.#samples.findIndex((sample) => sample.sequence > sequence);
    const index = (later === -1 ? this.#samples.length : later) - 1;
    if (index > 0) this.#samples.splice(0, index);
    if (this.#samples.length <= 1) this.#gapMillis = this.#resolutionMillis;
    return this.#samples[0]?.at ?? null;
  }
}
