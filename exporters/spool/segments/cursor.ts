import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A position between two records of the log. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export const START: Position = { segment: 0, offset: 0 };

export const isBefore = (a: Position, b: Position): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);

const CURSOR_BYTES = 20;

/**
 * Persistent commit position: all records before it are delivered. It is written after the delivery, so it may lag behind,
 * which costs a repeated, idempotent delivery (at least once), and never runs ahead. A corrupt file counts as the start.
 */
export class Cursor {
  readonly #path: string;
  #file: number | null = null;

  constructor(directory: string) {
    this.#path = join(directory, 'cursor');
  }

  read(): Position {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#path);
    } catch {
      return START;
    }
    if (bytes.length !== CURSOR_BYTES || bytes.readUInt32LE(16) !== crc32(bytes.subarray(0, 16)))
      return START;
    return { segment: Number(bytes.readBigUInt64LE(0)), offset: Number(bytes.readBigUInt64LE(8)) };
  }

  write({ segment, offset }: Position): void {
    const bytes = Buffer.alloc(CURSOR_BYTES);
    bytes.writeBigUInt64LE(BigInt(segment), 0);
    bytes.writeBigUInt64LE(BigInt(offset), 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 16)), 16);
    // Not O_APPEND: the position is overwritten in place.
    this.#file ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    writeSync(this.#file, bytes, 0, CURSOR_BYTES, 0);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
