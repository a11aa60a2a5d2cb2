import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync, writevSync } from 'node:fs';
import { listSegments, removeSegment, segmentPath } from './segment-files.ts';

/** Options of the log of a spool. */
export interface SegmentWriterOptions {
  readonly directory: string;
  /** Size at which the log rotates to the next segment. */
  readonly segmentBytes: number;
  /** Limit of the total size of all segments. */
  readonly limitBytes: number;
  /** `system` writes to the page cache, which survives a crash of the process; `disk` also calls fdatasync, for power loss. */
  readonly durability: 'system' | 'disk';
}

/** Why an append failed. */
export type AppendFailure = 'spool_full' | 'disk_full' | 'spool_failed';
export type Appended = 'written' | AppendFailure;

/**
 * Appends groups of records to a segmented log, synchronously and atomically: when `append` returns, the operating system has
 * all records of the group, or it returns the failure and the file is truncated to its old length.
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

  /** Position of the next record. */
  get end(): { readonly segment: number; readonly offset: number } {
    return { segment: this.#number, offset: this.#written };
  }

  /** Appends records. @param mayExceedLimit ignores the size limit, for records by which older segments can be removed */
  append(records: readonly Buffer[], mayExceedLimit = false): Appended {
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    if (!mayExceedLimit && this.#total + bytes > this.#options.limitBytes) return 'spool_full';
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

  /** Deletes a segment whose records are all delivered; the current segment is never deleted. */
  remove(number: number, bytes: number): void {
    if (number === this.#number && this.#file !== null) return;
    removeSegment(this.#options.directory, number);
    this.#total -= bytes;
  }

  /** Closes the current segment; the next record opens a new one. */
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
    // A short write on a disk that fills up is no error; writing the rest raises ENOSPC.
    while (written < bytes) {
      const rest = Buffer.concat(records).subarray(written);
      written += writevSync(file, [rest]);
    }
    if (this.#options.durability === 'disk') fdatasyncSync(file);
  }

  #undo(error: unknown): AppendFailure {
    try {
      if (this.#file !== null) ftruncateSync(this.#file, this.#written);
    } catch {
      // The reader recognizes the torn record, but nothing may be appended behind it.
      this.close();
    }
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'spool_failed';
  }
}

/** Syncs the directory entry; without it a new file may be missing after a power loss. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
