import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { frameAt, nextFrame, type Frame } from '../format/frame.ts';
import type { Position } from './cursor.ts';
import { listSegments, segmentPath } from './segment-files.ts';

/** A record with the position behind it. */
export interface PlacedRecord {
  readonly frame: Frame;
  readonly end: Position;
}

/** Limits of one read. */
export interface ReadLimits {
  readonly maxRecords: number;
  /** Payload bytes at which the read stops; the record that reaches it is included. */
  readonly maxBytes?: number;
}

/** Transient errors: resources of the machine are exhausted, and the file may be intact. */
const TRANSIENT_ERRORS = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];

/** Most bytes of one read, so that a long backlog does not keep the event loop for long. */
const READ_BYTES = 1024 * 1024;

/**
 * Tails the log of a spool from a position on, with one segment at a time in memory. It never throws: unreadable bytes are
 * skipped to the next intact frame (resynchronization) and counted as damage.
 *
 * It reads synchronously: what it reads was just written by this process, so that it is in memory, while an asynchronous
 * read waits in the thread pool behind whatever the program does there (seconds, while it verifies 200 forecasts).
 */
export class RecordReader {
  readonly #directory: string;
  readonly #isClosed: boolean;
  /** The segment of `#at` from its first byte, with spare capacity. */
  #buffer: Buffer = Buffer.alloc(0);
  /** The part of the buffer that was read. */
  #bytes: Buffer = this.#buffer;
  #at: Position;
  #damagedRanges = 0;
  /** Number of the newest record so far, and whether a torn record followed it. */
  #lastSequence: number | null = null;
  #isTorn = false;
  #isHeldUp = false;

  /** @param options `isClosed`: the spool has no writer any more, so an unfinished tail will never be completed */
  constructor(directory: string, options: { readonly from: Position; readonly isClosed?: boolean }) {
    this.#directory = directory;
    this.#at = options.from;
    this.#isClosed = options.isClosed ?? false;
  }

  /**
   * Byte ranges that were skipped although they once held a record. A torn write is not counted: its writer was killed before
   * the record took effect, and its number was given to the next record.
   */
  get damagedRanges(): number {
    return this.#damagedRanges;
  }

  /** Whether the last read ended at a transient error: more records may follow later. */
  get isHeldUp(): boolean {
    return this.#isHeldUp;
  }

  /**
   * The next records; none at the end of the log, or when it is held up. Payloads are views into the segment's buffer, not
   * copies.
   */
  next({ maxRecords, maxBytes = Infinity }: ReadLimits): readonly PlacedRecord[] {
    const records: PlacedRecord[] = [];
    let bytes = 0;
    this.#isHeldUp = false;
    while (records.length < maxRecords && bytes < maxBytes) {
      const record = this.#nextInSegment();
      if (record !== null) {
        records.push(record);
        bytes += record.frame.payload.length;
      } else if (!this.#advance()) break;
    }
    return records;
  }

  /** The next record in the buffer; null at its end. */
  #nextInSegment(): PlacedRecord | null {
    for (;;) {
      const { segment, offset } = this.#at;
      if (offset >= this.#bytes.length) return null;
      const found = frameAt(this.#bytes, offset);
      if (found.kind === 'incomplete') return null;
      this.#at = { segment, offset: found.next };
      if (found.kind === 'frame') {
        this.#checkSequence(found.frame);
        return { frame: found.frame, end: this.#at };
      }
      this.#damagedRanges += 1;
    }
  }

  /** A gap in the numbers after a torn record means that a numbered record was lost with it. */
  #checkSequence({ kind, sequence }: Frame): void {
    if (kind === 'carried') return;
    if (this.#isTorn && this.#lastSequence !== null && sequence > this.#lastSequence + 1)
      this.#damagedRanges += 1;
    this.#isTorn = false;
    this.#lastSequence = sequence;
  }

  /** Reads what was appended to the segment, or opens the next one; false when there is nothing more. */
  #advance(): boolean {
    if (this.#readMore()) return true;
    const following = this.#isHeldUp ? null : this.#followingSegment();
    if (this.#isHeldUp) return false;
    if (following === null) return this.#isClosed && this.#skipUnfinished();
    // Read once more: records may have been appended before the rotation, and none can be appended after it.
    if (this.#readMore()) return true;
    if (this.#skipUnfinished()) return true;
    this.#at = { segment: following, offset: 0 };
    // A new buffer: records that were returned still refer to the old one.
    this.#buffer = Buffer.alloc(0);
    this.#bytes = this.#buffer;
    this.#readMore();
    return true;
  }

  /** Reads more of what was appended to the segment; false when there is nothing, or when it cannot be read. */
  #readMore(): boolean {
    const file = this.#openSegment();
    if (file === null) return false;
    try {
      const { length } = this.#bytes;
      const more = Math.min(fstatSync(file).size - length, READ_BYTES);
      if (more <= 0) return false;
      this.#makeRoom(length + more);
      const bytesRead = readSync(file, this.#buffer, length, more, length);
      this.#bytes = this.#buffer.subarray(0, length + bytesRead);
      return bytesRead > 0;
    } catch {
      return false;
    } finally {
      closeSync(file);
    }
  }

  #openSegment(): number | null {
    try {
      return openSync(segmentPath(this.#directory, this.#at.segment), 'r');
    } catch (error) {
      this.#isHeldUp = isTransient(error);
      return null;
    }
  }

  #makeRoom(size: number): void {
    if (size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#buffer.length));
    this.#bytes.copy(larger);
    this.#buffer = larger;
  }

  /** The number of the next segment; numbers may be missing, because a segment can be lost. */
  #followingSegment(): number | null {
    const next = this.#at.segment + 1;
    if (existsSync(segmentPath(this.#directory, next))) return next;
    try {
      return listSegments(this.#directory).find(({ number }) => number > next)?.number ?? null;
    } catch (error) {
      this.#isHeldUp = isTransient(error);
      return null;
    }
  }

  /**
   * Skips an unfinished frame in a segment that has no writer any more. It is damage when an intact record follows it, else a
   * torn write. @returns whether an intact record follows
   */
  #skipUnfinished(): boolean {
    const { segment, offset } = this.#at;
    if (offset >= this.#bytes.length) return false;
    const next = nextFrame(this.#bytes, offset + 1);
    const isDamage = next < this.#bytes.length;
    if (isDamage) this.#damagedRanges += 1;
    else this.#isTorn = true;
    this.#at = { segment, offset: next };
    return isDamage;
  }
}

const isTransient = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && TRANSIENT_ERRORS.includes(String(error.code));
