/** How many bytes are made room for, and how many are kept when what needed much more is gone. */
const USUAL_BYTES = 64 * 1024;
/** Bytes of the largest whole number that is exact. */
const MAX_COUNT_BYTES = 8;

/** Numbers and texts as bytes, one behind the other, in memory that is used again and again. */
export class ByteWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  constructor(bytes = USUAL_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes that were written. */
  get length(): number {
    return this.#length;
  }

  /** What was written from one place to another; it holds until the next byte is written. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** Forgets everything behind a place. */
  cutTo(length: number): void {
    this.#length = length;
    if (length === 0 && this.#bytes.length > 16 * USUAL_BYTES) this.#move(USUAL_BYTES);
  }

  /** Leaves room for bytes that are written later. */
  skip(bytes: number): void {
    this.#reserve(bytes);
    this.#length += bytes;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** A whole number from 0 on: seven bits a byte, the lowest first. */
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

  /** Writes over four bytes that stand there. */
  replaceUint32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /**
   * A text, exactly as it is: ASCII a byte a character, any other as UTF-16, which holds halves of a pair as well. Before
   * it its length, and in the lowest bit of that, which of them it is.
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
