import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Position } from './cursor.ts';
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
