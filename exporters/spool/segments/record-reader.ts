import { open, stat, type FileHandle } from 'node:fs/promises';
import { frameAt, nextFrame, type Frame } from '../format/frame.ts';
import type { Position } from './cursor.ts';
import { listSegments, segmentPath } from './segment-files.ts';

/** A record with the place behind it. */
export interface PlacedRecord {
  readonly frame: Frame;
  readonly end: Position;
}

/** How much is read at once. */
export interface ReadLimits {
  readonly maxRecords: number;
  /** Bytes after which no further record is taken. */
  readonly maxBytes?: number;
}

/** Transient errors of the machine, not of the file. */
const PASSING_ERRORS = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];

/**
 * Reads the records of a spool from a place on, with one segment at a time in memory. It never fails: what cannot be
 * read is passed over and counted as damage.
 */
export class RecordReader {
  readonly #directory: string;
  readonly #isClosed: boolean;
  /** The segment of `#at` from its beginning, as far as it was read; it has room for more. */
  #memory: Buffer = Buffer.alloc(0);
  /** What of it was read. */
  #bytes: Buffer = this.#memory;
  #at: Position;
  #damages = 0;
  /** Number of the newest record so far, and whether one was torn since. */
  #newest: number | null = null;
  #isTorn = false;
  #isHeldUp = false;

  /** `isClosed`: nobody writes to this spool any more. */
  constructor(directory: string, options: { readonly from: Position; readonly isClosed?: boolean }) {
    this.#directory = directory;
    this.#at = options.from;
    this.#isClosed = options.isClosed ?? false;
  }

  /**
   * Stretches that were passed over although they held a record once. A record that was never written to its end is
   * none of them: its writer was killed in the middle, nobody had learnt of it, and its number went to the record
   * behind it.
   */
  get damages(): number {
    return this.#damages;
  }

  /** Whether the last call ended where it did because no file can be opened now: what follows may be read later. */
  get isHeldUp(): boolean {
    return this.#isHeldUp;
  }

  /**
   * The next records; none when the end is reached, or when it is held up. Those of one call share their memory with
   * the segment.
   */
  async next({ maxRecords, maxBytes = Infinity }: ReadLimits): Promise<readonly PlacedRecord[]> {
    const records: PlacedRecord[] = [];
    let bytes = 0;
    this.#isHeldUp = false;
    while (records.length < maxRecords && bytes < maxBytes) {
      const record = this.#nextInSegment();
      if (record !== null) {
        records.push(record);
        bytes += record.frame.payload.length;
      } else if (!(await this.#readOn())) break;
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
      if (found.kind === 'frame') {
        this.#note(found.frame);
        return { frame: found.frame, end: this.#at };
      }
      this.#damages += 1;
    }
  }

  /** A number that is skipped behind a torn record was given to it, or to one that was cut off with it. */
  #note({ kind, sequence }: Frame): void {
    if (kind === 'carried') return;
    if (this.#isTorn && this.#newest !== null && sequence > this.#newest + 1) this.#damages += 1;
    this.#isTorn = false;
    this.#newest = sequence;
  }

  /** Reads what the segment has got meanwhile, or else the next one; false when there is nothing more. */
  async #readOn(): Promise<boolean> {
    if (await this.#readMore()) return true;
    const following = this.#isHeldUp ? null : await this.#followingSegment();
    if (this.#isHeldUp) return false;
    if (following === null) return this.#isClosed && this.#passUnfinished();
    // Records may have come to this one before the next was begun; now none will any more.
    if (await this.#readMore()) return true;
    if (this.#passUnfinished()) return true;
    this.#at = { segment: following, offset: 0 };
    // Records of the segment before may still be looked at.
    this.#memory = Buffer.alloc(0);
    this.#bytes = this.#memory;
    await this.#readMore();
    return true;
  }

  /** Reads what the segment has got since; false when that is nothing, or when it cannot be read. */
  async #readMore(): Promise<boolean> {
    const file = await this.#openSegment();
    if (file === null) return false;
    try {
      const { size } = await file.stat();
      const { length } = this.#bytes;
      if (size <= length) return false;
      this.#makeRoom(size);
      const { bytesRead } = await file.read(this.#memory, length, size - length, length);
      this.#bytes = this.#memory.subarray(0, length + bytesRead);
      return bytesRead > 0;
    } catch {
      return false;
    } finally {
      await file.close();
    }
  }

  async #openSegment(): Promise<FileHandle | null> {
    try {
      return await open(segmentPath(this.#directory, this.#at.segment));
    } catch (error) {
      this.#isHeldUp = isPassing(error);
      return null;
    }
  }

  #makeRoom(size: number): void {
    if (size <= this.#memory.length) return;
    const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#memory.length));
    this.#bytes.copy(larger);
    this.#memory = larger;
  }

  /** The number of the segment behind this one; one in between may have been lost. */
  async #followingSegment(): Promise<number | null> {
    const next = this.#at.segment + 1;
    if (await exists(segmentPath(this.#directory, next))) return next;
    try {
      return listSegments(this.#directory).find(({ number }) => number > next)?.number ?? null;
    } catch (error) {
      this.#isHeldUp = isPassing(error);
      return null;
    }
  }

  /**
   * In a segment that nobody writes any more, what looks unfinished is damage if a whole record stands behind it, and
   * else torn. @returns whether there is such a record
   */
  #passUnfinished(): boolean {
    const { segment, offset } = this.#at;
    if (offset >= this.#bytes.length) return false;
    const next = nextFrame(this.#bytes, offset + 1);
    const isDamage = next < this.#bytes.length;
    if (isDamage) this.#damages += 1;
    else this.#isTorn = true;
    this.#at = { segment, offset: next };
    return isDamage;
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && PASSING_ERRORS.includes(String(error.code));

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
