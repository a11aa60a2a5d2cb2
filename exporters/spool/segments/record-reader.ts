import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { frameAt, isKnownFormat, nextFrame, segmentStart, type Frame } from '../format/frame.ts';
import type { Position } from './cursor.ts';
import { SegmentDamage } from './segment-damage.ts';
import { listSegments, segmentPath } from './segment-files.ts';
import { errorCodeOf } from './error-code.ts';

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
const TRANSIENT_ERRORS: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'ETIMEDOUT'];
/** Errors that say that there is no such segment, rather than that it cannot be read. */
const ABSENT_ERRORS: readonly unknown[] = ['ENOENT', 'ENOTDIR'];

/** Most bytes of one read, so that a long backlog does not keep the event loop for long. */
const READ_BYTES = 1024 * 1024;

/**
 * Tails the log of a spool from a position on, with one segment at a time in memory. It never throws: unreadable bytes are
 * skipped to the next intact frame (resynchronization) and counted as damage. An error of the file system is never taken
 * for the end of the log: the reader is held up, or names the segment as unreadable and goes on behind it.
 *
 * It reads synchronously: what it reads was just written by this process, so that it is in memory, while an asynchronous
 * read waits in the thread pool behind whatever the program does there (seconds, while it verifies 200 forecasts).
 */
export class RecordReader {
  /** What it found that cannot be read. */
  readonly damage = new SegmentDamage();
  readonly #directory: string;
  readonly #isClosed: boolean;
  /** The segment of `#at` from its first byte, with spare capacity. */
  #buffer: Buffer = Buffer.alloc(0);
  /** The part of the buffer that was read. */
  #bytes: Buffer = this.#buffer;
  #at: Position;
  /** The segment whose header was checked, and whether its frames can be read. */
  #checkedSegment = -1;
  #isKnown = true;
  #isHeldUp = false;
  /** Code of the error with which the last read failed for good. */
  #failure: string | null = null;

  /** @param options `isClosed`: the spool has no writer any more, so an unfinished tail will never be completed */
  constructor(directory: string, options: { readonly from: Position; readonly isClosed?: boolean }) {
    this.#directory = directory;
    this.#at = options.from;
    this.#isClosed = options.isClosed ?? false;
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
      if (this.#bytes.length === 0 || !this.#hasKnownFormat()) return null;
      const { segment, offset } = this.#at;
      if (offset >= this.#bytes.length) return null;
      const found = frameAt(this.#bytes, offset);
      if (found.kind === 'incomplete') return null;
      // Without an intact frame in the buffer, one may still follow in what is read next.
      if (found.kind === 'damaged' && found.next === this.#bytes.length) return null;
      this.#at = { segment, offset: found.next };
      if (found.kind === 'frame') {
        this.damage.checkSequence(found.frame);
        return { frame: found.frame, end: this.#at };
      }
      this.damage.mark(segment);
    }
  }

  /** Checks the header of the segment and moves behind it; false when its frames cannot be read (yet). */
  #hasKnownFormat(): boolean {
    const { segment, offset } = this.#at;
    if (this.#checkedSegment === segment) return this.#isKnown;
    const start = segmentStart(this.#bytes);
    if (start === null) return false;
    this.#checkedSegment = segment;
    this.#isKnown = isKnownFormat(start.format);
    if (offset === 0) this.#at = { segment, offset: start.from };
    if (!this.#isKnown) this.damage.mark(segment, `of the unknown format ${start.format}`);
    return this.#isKnown;
  }

  /** Reads what was appended to the segment, or opens the next one; false when there is nothing more. */
  #advance(): boolean {
    if (this.#readMore()) return true;
    const following = this.#isHeldUp ? null : this.#followingSegment();
    if (this.#isHeldUp) return false;
    if (following === null) return this.#endOfLog();
    // Read once more: records may have been appended before the rotation, and none can be appended after it.
    return this.#readMore() || this.#enter(following);
  }

  /** Leaves the segment for the next one. @returns whether there may be more to read now */
  #enter(following: number): boolean {
    if (this.#isHeldUp) return false;
    this.#markFailure();
    if (this.#skipUnfinished()) return true;
    this.#at = { segment: following, offset: 0 };
    // A new buffer: records that were returned still refer to the old one.
    this.#buffer = Buffer.alloc(0);
    this.#bytes = this.#buffer;
    return this.#readMore() || !this.#isHeldUp;
  }

  /** The newest segment has no more bytes. That of a living writer is read again when the file system refuses it. */
  #endOfLog(): boolean {
    if (!this.#isClosed) {
      this.#isHeldUp = this.#failure !== null;
      return false;
    }
    this.#markFailure();
    return this.#skipUnfinished();
  }

  #markFailure(): void {
    if (this.#failure !== null) this.damage.mark(this.#at.segment, `unreadable: ${this.#failure}`);
    this.#failure = null;
  }

  /** Reads more of what was appended to the segment; false when there is nothing, or when it cannot be read. */
  #readMore(): boolean {
    this.#failure = null;
    if (!this.#isKnown && this.#checkedSegment === this.#at.segment) return false;
    let file: number | null = null;
    try {
      file = openSync(segmentPath(this.#directory, this.#at.segment), 'r');
      const { length } = this.#bytes;
      const { size } = fstatSync(file);
      const more = Math.min(size - length, READ_BYTES);
      if (more <= 0) return false;
      // For all that is there: the records of a smaller buffer would keep it beside the larger one.
      this.#makeRoom(size);
      const bytesRead = readSync(file, this.#buffer, length, more, length);
      this.#bytes = this.#buffer.subarray(0, length + bytesRead);
      return bytesRead > 0;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      if (file !== null) closeSync(file);
    }
  }

  #fail(error: unknown): void {
    const code = errorCodeOf(error);
    this.#isHeldUp = TRANSIENT_ERRORS.includes(code);
    if (!this.#isHeldUp && !ABSENT_ERRORS.includes(code)) this.#failure = String(code ?? error);
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
      const code = errorCodeOf(error);
      // Which segments there are is not known: that is no end of the log.
      this.#isHeldUp = !ABSENT_ERRORS.includes(code);
      return null;
    }
  }

  /**
   * Skips an unfinished frame in a segment that has no writer any more. It is damage when an intact record follows it, or when
   * it is no beginning of a record; else a torn write. @returns whether an intact record follows
   */
  #skipUnfinished(): boolean {
    const { segment, offset } = this.#at;
    const isUnknown = this.#checkedSegment === segment && !this.#isKnown;
    if (isUnknown || offset >= this.#bytes.length) return false;
    const isBeginning =
      segmentStart(this.#bytes) === null || frameAt(this.#bytes, offset).kind === 'incomplete';
    const next = nextFrame(this.#bytes, offset + 1);
    const isFollowed = next < this.#bytes.length;
    if (isFollowed || !isBeginning) this.damage.mark(segment);
    else this.damage.markTorn(segment);
    this.#at = { segment, offset: next };
    return isFollowed;
  }
}
