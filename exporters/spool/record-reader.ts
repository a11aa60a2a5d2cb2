import { readFile } from 'node:fs/promises';
import { frameAt, nextFrame, type Frame } from './frame.ts';
import { isBefore, type Position } from './position.ts';
import { listSegments } from './segment-files.ts';

/** A record with the place behind it. */
export interface PlacedRecord {
  readonly frame: Frame;
  readonly end: Position;
}

/** Reads the records of a spool from a place on, a segment at a time in memory. */
export class RecordReader {
  readonly #directory: string;
  readonly #isClosed: boolean;
  #bytes = Buffer.alloc(0);
  #at: Position;
  #damages = 0;

  /** `isClosed`: nobody writes to this spool any more. */
  constructor(directory: string, options: { readonly from: Position; readonly isClosed?: boolean }) {
    this.#directory = directory;
    this.#at = options.from;
    this.#isClosed = options.isClosed ?? false;
  }

  /** Stretches that were passed over because they hold no record. A torn tail is one when more segments follow. */
  get damages(): number {
    return this.#damages;
  }

  /** The next records, at most so many, none of them behind `to`; none when the end is reached. */
  async next(maxRecords: number, to?: Position): Promise<readonly PlacedRecord[]> {
    const records: PlacedRecord[] = [];
    while (records.length < maxRecords && (to === undefined || isBefore(this.#at, to))) {
      const record = this.#nextInSegment();
      if (record !== null) records.push(record);
      else if (!(await this.#readOn())) break;
    }
    return records;
  }

  /** The next record of what was read; null at its end. */
  #nextInSegment(): PlacedRecord | null {
    for (;;) {
      const { segment, offset } = this.#at;
      if (offset >= this.#bytes.length) return null;
      const found = frameAt(this.#bytes, offset);
      if (found.kind === 'incomplete') return null;
      this.#at = { segment, offset: found.next };
      if (found.kind === 'frame') return { frame: found.frame, end: this.#at };
      this.#damages += 1;
    }
  }

  /** Reads what the segment has got meanwhile, or else the next one; false when there is nothing more. */
  async #readOn(): Promise<boolean> {
    const segments = listSegments(this.#directory);
    const current = segments.find(({ number }) => number === this.#at.segment);
    if (current !== undefined && current.bytes > this.#bytes.length) {
      this.#bytes = await readFile(current.path);
      return true;
    }
    const following = segments.find(({ number }) => number > this.#at.segment);
    if (following === undefined) return this.#isClosed && this.#passDamage();
    if (this.#passDamage()) return true;
    this.#at = { segment: following.number, offset: 0 };
    this.#bytes = await readFile(following.path);
    return true;
  }

  /** In a segment that nobody writes any more, what looks unfinished is damage if a whole record stands behind it. */
  #passDamage(): boolean {
    const { segment, offset } = this.#at;
    if (offset >= this.#bytes.length) return false;
    const next = nextFrame(this.#bytes, offset + 1);
    this.#damages += 1;
    this.#at = { segment, offset: next };
    return next < this.#bytes.length;
  }
}
