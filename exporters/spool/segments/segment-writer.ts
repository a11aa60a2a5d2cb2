import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync, writevSync } from 'node:fs';
import { listSegments, removeSegment, segmentPath } from './segment-files.ts';

/** How a spool writes. */
export interface SegmentWriterOptions {
  readonly directory: string;
  /** A segment that has reached this size is closed and the next one begun. */
  readonly segmentBytes: number;
  /** Most bytes of all segments together. */
  readonly limitBytes: number;
  /**
   * `system` hands bytes to the operating system, which survives the death of the process; `disk` waits for the disk.
   */
  readonly durability: 'system' | 'disk';
}

/** Why nothing was written. */
export type RefusalReason = 'spool_full' | 'disk_full' | 'spool_failed';
export type Appended = 'written' | RefusalReason;

/**
 * Appends records to segments, at once and all or none: when `append` returns, the records are in the hands of the
 * operating system, or it throws and leaves nothing of them behind.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #number: number;
  #file: number | null = null;
  #written = 0;
  #total: number;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    const segments = listSegments(options.directory);
    this.#number = segments.at(-1)?.number ?? 0;
    this.#total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#total;
  }

  /** Where the next record will stand. */
  get end(): { readonly segment: number; readonly offset: number } {
    return { segment: this.#number, offset: this.#written };
  }

  /** Writes the records behind those that are there. `isOwed` ones may exceed the limit: they replace older bytes. */
  append(records: readonly Buffer[], isPending = false): Appended {
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    if (!isPending && this.#total + bytes > this.#options.limitBytes) return 'spool_full';
    try {
      const file = this.#openFile();
      this.#writeAll(file, records, bytes);
    } catch (error) {
      return this.#undo(error);
    }
    this.#written += bytes;
    this.#total += bytes;
    if (this.#written >= this.#options.segmentBytes) this.close();
    return 'written';
  }

  /** Forgets a segment whose records are all safe elsewhere; the one being written goes on as it is. */
  remove(number: number, bytes: number): void {
    if (number === this.#number && this.#file !== null) return;
    removeSegment(this.#options.directory, number);
    this.#total -= bytes;
  }

  /** Ends the current segment; the next record begins another. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #openFile(): number {
    if (this.#file !== null) return this.#file;
    const file = openSync(segmentPath(this.#options.directory, this.#number + 1), 'ax', 0o600);
    this.#number += 1;
    this.#written = 0;
    this.#file = file;
    if (this.#options.durability === 'disk') syncDirectory(this.#options.directory);
    return file;
  }

  #writeAll(file: number, records: readonly Buffer[], bytes: number): void {
    const [first] = records;
    let written =
      records.length === 1 && first !== undefined ? writeSync(file, first) : writevSync(file, records);
    // A disk that fills up takes a part; the rest is asked for again, and then the error comes.
    while (written < bytes) {
      const rest = Buffer.concat(records).subarray(written);
      written += writevSync(file, [rest]);
    }
    if (this.#options.durability === 'disk') fdatasyncSync(file);
  }

  #undo(error: unknown): RefusalReason {
    try {
      if (this.#file !== null) ftruncateSync(this.#file, this.#written);
    } catch {
      // Readers of the segment recognise the torn record; nothing may be written behind it.
      this.close();
    }
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'spool_failed';
  }
}

/** A new file is found after a power loss only if its directory is on the disk as well. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
