import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { SEGMENT_HEADER } from '../format/frame.ts';
import { fdatasyncOpen, GroupSync } from './group-sync.ts';
import { listSegments, removeSegment, segmentPath } from './segment-files.ts';
import { errorCodeOf } from './error-code.ts';

/** Options of the log of a spool. */
export interface SegmentWriterOptions {
  readonly directory: string;
  /** Size at which the log rotates to the next segment. */
  readonly segmentBytes: number;
  /** Limit of the total size of all segments. */
  readonly limitBytes: number;
  /** `system` writes to the page cache, which survives a crash of the process; `disk` also calls fdatasync, for power loss. */
  readonly durability: 'system' | 'disk';
  /** Keeps segments open that exist already, so that they can be read after somebody deleted them. */
  readonly keepsExisting?: boolean;
}

/** Preallocated file that is given up on a full disk, so that compaction has room to write before it can delete. */
export const RESERVE = 'reserve';
const RESERVE_BYTES = 128 * 1024;

/** Why an append failed. */
export type AppendFailure = 'spool_full' | 'disk_full' | 'spool_failed';
export type Appended = 'written' | AppendFailure;

/** Most closed segments that are kept open for reading. */
const MAX_KEPT = 512;
/** Most bytes that are held in memory after the folder was lost, until the process has another one. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

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
  /** Descriptors of closed segments: somebody may delete or rename the files before their records are delivered. */
  readonly #kept = new Map<number, number>();
  /** Records for which no segment could be opened, because the folder is gone. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #hasFailed = false;
  /** Descriptors with records that may be in the page cache alone. */
  readonly #unsynced = new Set<number>();
  #isFolderUnsynced = false;
  readonly #groupSync = new GroupSync(() => this.#sync());

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    const segments = listSegments(options.directory);
    this.#number = segments.at(-1)?.number ?? 0;
    this.#total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    if (options.keepsExisting !== true) return;
    for (const { number, path } of segments.slice(-MAX_KEPT)) this.#kept.set(number, openSync(path, 'r'));
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
    const appended = isOverLimit ? 'spool_full' : this.#tryToWrite(group, bytes);
    this.#hasFailed = appended !== 'written';
    if (appended === 'written') this.#total += bytes;
    if (this.#written >= this.#options.segmentBytes) this.close();
    return appended;
  }

  #tryToWrite(group: readonly Buffer[], bytes: number): Appended {
    try {
      this.#writeAll(this.#openFile(), group, bytes);
      this.#written += bytes;
      return 'written';
    } catch (error) {
      const isFolderGone = this.#file === null && errorCodeOf(error) === 'ENOENT';
      return isFolderGone ? this.#hold(group, bytes) : this.#undo(error);
    }
  }

  /**
   * Resolves when everything that was appended before the call is on the disk. Concurrent calls share one sync.
   *
   * @throws Error when it cannot be synced, or when its folder is gone
   */
  synced(): Promise<void> {
    if (this.#heldBytes > 0) return Promise.reject(new Error('the folder of the spool is gone'));
    return this.#unsynced.size === 0 && this.#groupSync.isIdle ? Promise.resolve() : this.#groupSync.next();
  }

  async #sync(): Promise<void> {
    const files = [...this.#unsynced];
    const isFolderUnsynced = this.#isFolderUnsynced;
    this.#unsynced.clear();
    this.#isFolderUnsynced = false;
    try {
      for (const file of files) await fdatasyncOpen(file);
      if (isFolderUnsynced) syncDirectory(this.#options.directory);
    } catch (error) {
      for (const file of files) this.#unsynced.add(file);
      this.#isFolderUnsynced ||= isFolderUnsynced;
      throw error;
    }
  }

  /** Deletes a segment whose records are all delivered; the current segment is never deleted. */
  remove(number: number, bytes: number): void {
    if (number === this.#number && this.#file !== null) return;
    this.#letGo(number);
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
      if (errorCodeOf(error) !== 'EEXIST') rmSync(path, { force: true });
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
    if (this.#file !== null) this.#kept.set(this.#number, this.#file);
    this.#file = null;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > MAX_KEPT) this.#letGo(oldest);
  }

  /** Whether the current segment still has a name in some folder; null as long as there is none. */
  get isLinked(): boolean | null {
    const file = this.#file ?? [...this.#kept.values()].at(-1);
    return file === undefined ? null : fstatSync(file).nlink > 0;
  }

  /** Whether the newest segment is the file that has its name in the folder: a copy of the folder may have taken its place. */
  get isInPlace(): boolean {
    const newest = this.#file === null ? [...this.#kept].at(-1) : ([this.#number, this.#file] as const);
    if (newest === undefined) return true;
    try {
      const named = statSync(segmentPath(this.#options.directory, newest[0]));
      const open = fstatSync(newest[1]);
      return open.ino === named.ino && open.dev === named.dev;
    } catch (error) {
      return errorCodeOf(error) !== 'ENOENT';
    }
  }

  /** The bytes of every segment that this process still has open, oldest first, wherever its file is now. */
  *readKept(): Generator<Buffer> {
    this.close();
    for (const file of this.#kept.values()) yield readWhole(file);
    for (const bytes of this.#held) yield bytes;
  }

  /** Closes the current segment and every one that is kept open. */
  dispose(): void {
    this.close();
    for (const number of [...this.#kept.keys()]) this.#letGo(number);
    this.#held = [];
  }

  #letGo(number: number): void {
    const file = this.#kept.get(number);
    // Its records are delivered: nothing of them has to be on this disk.
    if (file !== undefined) this.#unsynced.delete(file);
    if (file !== undefined) closeSync(file);
    this.#kept.delete(number);
  }

  #hold(records: readonly Buffer[], bytes: number): Appended {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return 'spool_failed';
    // The buffers belong to the caller, who writes over them.
    this.#held.push(Buffer.concat(records));
    this.#heldBytes += bytes;
    return 'written';
  }

  #openFile(): number {
    if (this.#file !== null) return this.#file;
    const file = openSync(segmentPath(this.#options.directory, this.#number + 1), 'ax+', 0o600);
    this.#number += 1;
    this.#written = 0;
    this.#file = file;
    if (this.#options.durability === 'disk') syncDirectory(this.#options.directory);
    else this.#isFolderUnsynced = true;
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
    else this.#unsynced.add(file);
  }

  #undo(error: unknown): AppendFailure {
    try {
      if (this.#file !== null) ftruncateSync(this.#file, this.#written);
    } catch {
      // The reader recognizes the torn record, but nothing may be appended behind it.
      this.close();
    }
    const code = errorCodeOf(error);
    return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'spool_failed';
  }
}

function readWhole(file: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(file).size);
  let length = 0;
  for (let read = 1; read > 0 && length < bytes.length; length += read)
    read = readSync(file, bytes, length, bytes.length - length, length);
  return bytes.subarray(0, length);
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
