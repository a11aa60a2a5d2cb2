import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { SEGMENT_HEADER } from '../format/frame.ts';
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

/** Preallocated file that is given up on a full disk, so that compaction has room to write before it can delete. */
export const RESERVE = 'reserve';
const RESERVE_BYTES = 128 * 1024;

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
  #hasFailed = false;

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

  /** Whether the newest append failed. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Position of the next record. */
  get end(): { readonly segment: number; readonly offset: number } {
    return { segment: this.#number, offset: this.#written };
  }

  /** Appends records. @param mayExceedLimit ignores the size limit, for records by which older segments can be removed */
  append(records: readonly Buffer[], mayExceedLimit = false): Appended {
    const group = this.#file === null || this.#written === 0 ? [SEGMENT_HEADER, ...records] : records;
    const bytes = group.reduce((sum, record) => sum + record.length, 0);
    const isOverLimit = !mayExceedLimit && this.#total + bytes > this.#options.limitBytes;
    const failure = isOverLimit ? 'spool_full' : this.#tryToWrite(group, bytes);
    this.#hasFailed = failure !== null;
    if (failure !== null) return failure;
    this.#written += bytes;
    this.#total += bytes;
    if (this.#written >= this.#options.segmentBytes) this.close();
    return 'written';
  }

  #tryToWrite(group: readonly Buffer[], bytes: number): AppendFailure | null {
    try {
      this.#writeAll(this.#openFile(), group, bytes);
      return null;
    } catch (error) {
      return this.#undo(error);
    }
  }

  /** Deletes a segment whose records are all delivered; the current segment is never deleted. */
  remove(number: number, bytes: number): void {
    if (number === this.#number && this.#file !== null) return;
    removeSegment(this.#options.directory, number);
    this.#total -= bytes;
  }

  /** Preallocates the reserve. Best effort: the disk may be full already. */
  fillReserve(): void {
    const path = this.#reservePath;
    try {
      const file = openSync(path, 'wx', 0o600);
      try {
        writeSync(file, Buffer.alloc(RESERVE_BYTES));
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') rmSync(path, { force: true });
    }
  }

  /** Gives the space of the reserve back to the disk. */
  releaseReserve(): void {
    rmSync(this.#reservePath, { force: true });
  }

  get #reservePath(): string {
    return join(this.#options.directory, RESERVE);
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
    const code = codeOf(error);
    return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'spool_failed';
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Syncs the directory entry; without it a new file may be missing after a power loss. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
