/** Initial capacity, and the capacity to which an oversized buffer shrinks again. */
const USUAL_BYTES = 64 * 1024;
/** Longest varint: `Number.MAX_SAFE_INTEGER` has 53 bits, seven to a byte. */
const MAX_COUNT_BYTES = 8;

/** Append-only encoder of numbers and texts into one growing buffer, which is reused for all records. */
export class ByteWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  constructor(bytes = USUAL_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A view of the bytes from `from` to `to` (excluded), not a copy; valid until the next write. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** Truncates to a length. */
  cutTo(length: number): void {
    this.#length = length;
    if (length === 0 && this.#bytes.length > 16 * USUAL_BYTES) this.#move(USUAL_BYTES);
  }

  /** Reserves bytes that are filled in later. */
  skip(bytes: number): void {
    this.#reserve(bytes);
    this.#length += bytes;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** A whole number from 0 on as a varint (LEB128): seven bits a byte, the lowest first. */
  count(value: number): void {
    this.#reserve(MAX_COUNT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#length, value, true);
    this.#length += 4;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** @throws RangeError when it has more than 64 bits */
  int64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} has more than 64 bits.`);
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Overwrites four bytes. */
  replaceUint32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /**
   * A string, length-prefixed and lossless: one byte a character if it is ASCII, else UTF-16, which also encodes unpaired
   * surrogates (UTF-8 does not). The lowest bit of the prefix tells which.
   */
  text(value: string): void {
    const { length } = value;
    const from = this.#length;
    this.#reserve(length + MAX_COUNT_BYTES);
    if (length < 0x40) {
      this.#bytes[from] = 2 * length;
      this.#length = from + 1;
    } else this.count(2 * length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#length = from;
        this.#wideText(value);
        return;
      }
      bytes[at] = code;
      at += 1;
    }
    this.#length = at;
  }

  #wideText(value: string): void {
    this.count(value.length * 2 + 1);
    this.#reserve(value.length * 2);
    this.#length += this.#bytes.write(value, this.#length, 'utf16le');
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#bytes.length) this.#move(Math.max(needed, 2 * this.#bytes.length));
  }

  #move(size: number): void {
    const moved = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(moved, 0, 0, this.#length);
    this.#bytes = moved;
    this.#view = new DataView(moved.buffer);
  }
}
