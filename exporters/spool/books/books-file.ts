import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { isKnownFormat, WRITTEN_FORMAT } from '../format/frame.ts';
import type { Emitter, LedgerState } from './ledger.ts';
import { errorCodeOf } from '../segments/error-code.ts';

/** Size of each of the two slots, written in turn, so that a torn write leaves the other one intact. */
const SLOT_BYTES = 32 * 1024;
/** Length (4), generation (4), checksum (4). */
const HEADER_BYTES = 12;

const formatSchema = z.object({ format: z.number().default(1) });
const contentSchema = z.object({
  emitter: z.object({
    validatorHotkey: z.string(),
    instanceId: z.string(),
    epoch: z.string().optional(),
    isIdle: z.boolean().optional(),
  }),
  ledger: z.object({
    upTo: z.number(),
    dropped: z.array(z.tuple([z.number(), z.number()])),
    runs: z.array(z.tuple([z.string(), z.number(), z.number(), z.record(z.string(), z.number())])),
  }),
});

/** The contents of the books file. */
export interface Books {
  readonly emitter: Emitter;
  readonly ledger: LedgerState;
}

/**
 * Double-buffered checkpoint of an emitter's books: its identity, its counts, and the records it dropped. The file is
 * preallocated, so that drops can still be recorded when the disk is full.
 */
export class BooksFile {
  readonly #file: number;
  readonly #emitter: Emitter;
  #generation = 0;

  /** @throws Error of the file system when the file cannot be created */
  constructor(directory: string, emitter: Emitter) {
    this.#emitter = emitter;
    this.#file = openSync(pathOf(directory), constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#generation = newestOf(readFileSync(this.#file))?.generation ?? 0;
    if (this.#generation === 0) writeSync(this.#file, Buffer.alloc(2 * SLOT_BYTES), 0, 2 * SLOT_BYTES, 0);
  }

  /**
   * Overwrites the older slot. When the books do not fit, the oldest runs are left out first, then the oldest dropped ranges.
   *
   * @throws Error of the file system; RangeError when the identity of the emitter alone does not fit
   */
  write(ledger: LedgerState): void {
    const json = this.#toFittingJson(ledger);
    this.#generation += 1;
    const bytes = Buffer.alloc(HEADER_BYTES + json.length);
    bytes.writeUInt32LE(json.length, 0);
    bytes.writeUInt32LE(this.#generation, 4);
    bytes.set(json, HEADER_BYTES);
    bytes.writeUInt32LE(checksumOf(bytes), 8);
    writeSync(this.#file, bytes, 0, bytes.length, (this.#generation % 2) * SLOT_BYTES);
  }

  close(): void {
    closeSync(this.#file);
  }

  #toFittingJson(ledger: LedgerState): Buffer {
    let { runs, dropped } = ledger;
    for (;;) {
      const content = {
        format: WRITTEN_FORMAT,
        emitter: this.#emitter,
        ledger: { ...ledger, runs, dropped },
      };
      const json = Buffer.from(JSON.stringify(content));
      if (json.length <= SLOT_BYTES - HEADER_BYTES) return json;
      if (runs.length > 0) runs = runs.slice(0, Math.floor(runs.length / 2));
      else if (dropped.length > 0) dropped = dropped.slice(Math.ceil(dropped.length / 2));
      else
        throw new RangeError(`The name of the emitter has ${json.length} bytes; it must fit into the books.`);
    }
  }
}

/** Books of a format that this version does not know: the folder must be left as it is. */
export class UnknownBooksError extends Error {
  override readonly name = 'UnknownBooksError';
}

/**
 * Reads the newest intact slot; null when there is none.
 *
 * @throws Error of the file system when there are books that cannot be read now; UnknownBooksError
 */
export function readBooks(directory: string): Books | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(pathOf(directory));
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
  return newestOf(bytes)?.books ?? null;
}

const pathOf = (directory: string): string => join(directory, 'books');

const checksumOf = (bytes: Buffer): number =>
  crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, 8)));

interface BooksSlot {
  readonly generation: number;
  readonly books: Books;
}

function newestOf(bytes: Buffer): BooksSlot | null {
  const [first, second] = [readSlot(bytes, 0), readSlot(bytes, SLOT_BYTES)];
  return (first?.generation ?? 0) > (second?.generation ?? 0) ? first : second;
}

function readSlot(bytes: Buffer, at: number): BooksSlot | null {
  if (bytes.length < at + HEADER_BYTES) return null;
  const length = bytes.readUInt32LE(at);
  if (length === 0 || length > SLOT_BYTES - HEADER_BYTES) return null;
  const slot = bytes.subarray(at, at + HEADER_BYTES + length);
  if (slot.length < HEADER_BYTES + length || slot.readUInt32LE(8) !== checksumOf(slot)) return null;
  const content: unknown = JSON.parse(slot.subarray(HEADER_BYTES).toString());
  const { format } = formatSchema.parse(content);
  if (!isKnownFormat(format)) throw new UnknownBooksError(`its books have the unknown format ${format}`);
  const parsed = contentSchema.safeParse(content);
  return parsed.success ? { generation: slot.readUInt32LE(4), books: parsed.data } : null;
}
