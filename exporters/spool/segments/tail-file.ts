import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ignoreErrors } from '../ignore-errors.ts';
import { START, type Position } from './cursor.ts';
import type { SegmentWriterOptions } from './segment-writer.ts';

/** Name of the file. */
export const TAIL = 'tail';
const TAIL_BYTES = 80;
const TAIL_FORMAT = 1;
const CHECKED_BYTES = TAIL_BYTES - 4;
const BOOT_ID_AT = 32;
const BOOT_ID_BYTES = 40;
/** Bits of the flags. */
const FLAG = { disk: 1, closed: 2, open: 4 } as const;

/** What a spool knew of its newest record. */
export interface Tail {
  /** Number of the newest record that was written. */
  readonly sequence: number;
  /** Position behind it. */
  readonly end: Position;
  readonly durability: SegmentWriterOptions['durability'];
  /** Of the machine at that time; null where the system names none. */
  readonly bootId: string | null;
  /** The process closed the spool: no record followed. */
  readonly isClosed: boolean;
  /** It is known that more may have followed, and that nobody can know. */
  readonly isOpenEnd: boolean;
}

/**
 * The newest record number, kept beside the records, so that a log that was cut off, even between two records, is seen. One
 * `pwrite` in place, after the records, so that a kill in between is no false loss.
 */
export class TailFile {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(TAIL_BYTES);

  /** @throws Error of the file system when the file cannot be created */
  constructor(directory: string, tail: Omit<Tail, 'isClosed'>) {
    this.#file = openSync(join(directory, TAIL), constants.O_RDWR | constants.O_CREAT, 0o600);
    const flags = (tail.durability === 'disk' ? FLAG.disk : 0) | (tail.isOpenEnd ? FLAG.open : 0);
    this.#bytes.writeUInt16LE(TAIL_FORMAT, 0);
    this.#bytes.writeUInt16LE(flags, 2);
    this.#bytes.write(tail.bootId ?? '', BOOT_ID_AT, BOOT_ID_BYTES, 'latin1');
    this.write(tail.sequence, tail.end);
  }

  /** Called after records were written. @throws Error of the file system */
  write(sequence: number, { segment, offset }: Position): void {
    this.#bytes.writeDoubleLE(sequence, 8);
    this.#bytes.writeDoubleLE(segment, 16);
    this.#bytes.writeDoubleLE(offset, 24);
    this.#flush();
  }

  /** Marks the newest record as the last one. @throws Error of the file system */
  markClosed(): void {
    this.#bytes.writeUInt16LE(this.#bytes.readUInt16LE(2) | FLAG.closed, 2);
    this.#flush();
  }

  close(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, CHECKED_BYTES)), CHECKED_BYTES);
    writeSync(this.#file, this.#bytes, 0, TAIL_BYTES, 0);
  }
}

/** Longest time for which the tail is behind the records, ms, while the event loop is not kept. */
const TAIL_MILLIS = 2;

/** Keeps the tail up with the records: at once, or with the next write, since a `pwrite` for each group costs a fifth of a step. */
export class TailWriter {
  readonly #file: TailFile | null;
  #timer: NodeJS.Timeout | null = null;
  #isDue = false;
  /** Null before the first record, and after `leave`. */
  #newest: Pick<Tail, 'sequence' | 'end'> | null = null;

  /** @param file null when it could not be created: a cut-off end is then not seen */
  constructor(file: TailFile | null) {
    this.#file = file;
  }

  /** Notes the newest numbered record and the position behind it. */
  note(sequence: number, end: Position): void {
    this.#newest = { sequence, end };
    if (this.#timer === null) this.#writeAndWait();
    else this.#isDue = true;
  }

  /** Writes the tail now, for a process that may exit before the timer runs. */
  writeNow(): void {
    const newest = this.#newest;
    this.#isDue = false;
    if (newest !== null) ignoreErrors(() => this.#file?.write(newest.sequence, newest.end));
  }

  /** Writes the tail if it is due, and no more after that. */
  writeDue(): void {
    if (this.#isDue) this.writeNow();
    this.leave();
  }

  /** Writes the tail no more: it belongs to whoever has the folder now. */
  leave(): void {
    this.#isDue = false;
    this.#newest = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Marks the newest record as the last one. */
  markClosed(): void {
    ignoreErrors(() => this.#file?.markClosed());
  }

  close(): void {
    this.#file?.close();
  }

  #writeAndWait(): void {
    this.writeNow();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#isDue) this.#writeAndWait();
    }, TAIL_MILLIS);
    this.#timer.unref();
  }
}

/** Opens the tail of a spool. That of a recovered one is best effort: on a full disk the spool must still be delivered. */
export function openTail(
  { directory, durability }: Pick<SegmentWriterOptions, 'directory' | 'durability'>,
  recovered: Omit<Tail, 'isClosed'> | null,
): TailWriter {
  const unwritten = { sequence: 0, end: START, durability, bootId: readBootId(), isOpenEnd: false };
  if (recovered === null) return new TailWriter(new TailFile(directory, unwritten));
  try {
    return new TailWriter(new TailFile(directory, recovered));
  } catch {
    return new TailWriter(null);
  }
}

/** Reads the tail; null when there is none, or none that this version can read. */
export function readTail(directory: string): Tail | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, TAIL));
  } catch {
    return null;
  }
  if (bytes.length !== TAIL_BYTES || bytes.readUInt16LE(0) !== TAIL_FORMAT) return null;
  if (bytes.readUInt32LE(CHECKED_BYTES) !== crc32(bytes.subarray(0, CHECKED_BYTES))) return null;
  const flags = bytes.readUInt16LE(2);
  const bootId = bytes.toString('latin1', BOOT_ID_AT, BOOT_ID_AT + BOOT_ID_BYTES).replace(/\0+$/, '');
  return {
    sequence: bytes.readDoubleLE(8),
    end: { segment: bytes.readDoubleLE(16), offset: bytes.readDoubleLE(24) },
    durability: (flags & FLAG.disk) === 0 ? 'system' : 'disk',
    bootId: bootId === '' ? null : bootId,
    isClosed: (flags & FLAG.closed) !== 0,
    isOpenEnd: (flags & FLAG.open) !== 0,
  };
}

/** Identifies the boot of this machine, after a crash of which unsynced writes are gone; null where the system names none. */
export function readBootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return null;
  }
}
