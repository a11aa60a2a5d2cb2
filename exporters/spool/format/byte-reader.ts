/**
 * Decodes what a `ByteWriter` encoded.
 *
 * @throws RangeError from every method when the bytes end before the value does
 */
export class ByteReader {
  /** The whole underlying buffer; offsets are relative to it, so that no view is made for each record. */
  #memory: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#memory.buffer);
  #at = 0;
  #end = 0;

  /** Starts reading at the first of these bytes. */
  open({ buffer, byteOffset, byteLength }: Uint8Array): void {
    if (buffer !== this.#view.buffer) {
      this.#memory = Buffer.from(buffer);
      this.#view = new DataView(buffer);
    }
    this.#at = byteOffset;
    this.#end = byteOffset + byteLength;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    const at = this.#take(1);
    return this.#memory[at] ?? 0;
  }

  /** A varint (LEB128). */
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
    return this.#memory.subarray(from, from + length);
  }

  /** Skips these bytes if they come next. @returns whether they did */
  skip(bytes: Buffer): boolean {
    const end = this.#at + bytes.length;
    if (end > this.#end || this.#memory.compare(bytes, 0, bytes.length, this.#at, end) !== 0) return false;
    this.#at = end;
    return true;
  }

  text(): string {
    const head = this.count();
    const length = Math.floor(head / 2);
    if (head % 2 === 1) {
      const wide = this.#take(2 * length);
      return this.#memory.toString('utf16le', wide, wide + 2 * length);
    }
    const from = this.#take(length);
    return this.#memory.toString('latin1', from, from + length);
  }

  #take(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.#end) throw new RangeError('The bytes end before the record does.');
    return at;
  }
}
