import type { Frame } from '../format/frame.ts';

/** Segments of which something cannot be read, by number, with the reason in words. Their bytes must not be deleted. */
export type UnreadableSegments = ReadonlyMap<number, string>;

/** What a reader finds in the segments of a log that cannot be read, or that was torn by a kill of its writer. */
export class SegmentDamage {
  #ranges = 0;
  readonly #unreadable = new Map<number, string>();
  /** Number of the newest record so far, and the segment with a torn record behind it. */
  #lastSequence: number | null = null;
  #torn: number | null = null;

  /**
   * Byte ranges that were skipped although they once held a record. A torn write is not counted: its writer was killed before
   * the record took effect, and its number was given to the next record.
   */
  get ranges(): number {
    return this.#ranges;
  }

  /** Segments with damage, of an unknown format, or that the file system cannot read. */
  get unreadable(): UnreadableSegments {
    return this.#unreadable;
  }

  /** The segment whose end was torn, with no intact record behind it; null when there is none. */
  get tornSegment(): number | null {
    return this.#torn;
  }

  mark(segment: number, reason = 'damaged'): void {
    this.#ranges += 1;
    this.#unreadable.set(segment, reason);
  }

  markTorn(segment: number): void {
    this.#torn = segment;
  }

  /** A gap in the numbers after a torn record means that a numbered record was lost with it. */
  checkSequence({ kind, sequence }: Frame): void {
    if (kind === 'carried') return;
    if (this.#torn !== null && this.#lastSequence !== null && sequence > this.#lastSequence + 1)
      this.mark(this.#torn);
    this.#torn = null;
    this.#lastSequence = sequence;
  }
}
