import type { TextMemory } from './text-memory.ts';

/**
 * Reads what a `ByteWriter` wrote.
 *
 * @throws RangeError from every method when the bytes end before the value does
 */
export class ByteReader {
  readonly #texts: TextMemory;
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** `texts`: those that are made once and given again. */
  constructor(texts: TextMemory) {
    this.#texts = texts;
  }

  /** Begins to read bytes. */
  open(bytes: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = bytes;
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#view = new DataView(buffer, byteOffset, byteLength);
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const at = this.#take(1);
    return this.#bytes[at] ?? 0;
  }

  count(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  bytes(length: number): Buffer {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  text(): string {
    const head = this.count();
    const length = Math.floor(head / 2);
    if (head % 2 === 1) {
      const wide = this.#take(2 * length);
      return this.#bytes.toString('utf16le', wide, wide + 2 * length);
    }
    const from = this.#take(length);
    return this.#texts.textOf(this.#bytes, from, from + length);
  }

  #take(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.#bytes.length) throw new RangeError('The bytes end before the record does.');
    return at;
  }
}
