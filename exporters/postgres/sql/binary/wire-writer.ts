const TWO_TO_THE_32 = 2 ** 32;
/** Length up to which a loop over the characters is faster than a call of the encoder. */
const SHORT_TEXT = 64;
const LAST_ASCII = 0x7f;
/** UTF-8 takes at most three bytes for one UTF-16 code unit. */
const MAX_BYTES_PER_CHARACTER = 3;

/** Growable byte buffer: appends numbers and texts in network byte order, as the PostgreSQL protocol has them. */
export class WireWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  /** @param expectedBytes initial capacity; the buffer doubles when it is full */
  constructor(expectedBytes: number) {
    this.#bytes = Buffer.allocUnsafe(expectedBytes);
    this.#view = viewOf(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }

  int16(value: number): void {
    const at = this.#advance(2);
    this.#view.setInt16(at, value);
  }

  int32(value: number): void {
    const at = this.#advance(4);
    this.#view.setInt32(at, value);
  }

  /** A whole number that a double holds exactly. */
  int64(value: number): void {
    const at = this.#advance(8);
    const high = Math.floor(value / TWO_TO_THE_32);
    this.#view.setInt32(at, high);
    this.#view.setUint32(at + 4, value - high * TWO_TO_THE_32);
  }

  bigInt64(value: bigint): void {
    const at = this.#advance(8);
    this.#view.setBigInt64(at, value);
  }

  float64(value: number): void {
    const at = this.#advance(8);
    this.#view.setFloat64(at, value);
  }

  byte(value: number): void {
    const at = this.#advance(1);
    this.#bytes[at] = value;
  }

  /** UTF-8, without its length. */
  text(value: string): void {
    this.#reserve(value.length * MAX_BYTES_PER_CHARACTER);
    if (value.length <= SHORT_TEXT && this.#tryWriteAscii(value)) this.#length += value.length;
    else this.#length += this.#bytes.write(value, this.#length);
  }

  /** The bytes that pairs of hex digits name, without their length. */
  hex(digits: string): void {
    const at = this.#advance(digits.length / 2);
    this.#bytes.write(digits, at, 'hex');
  }

  /** Overwrites four bytes at `at`: a length that was not known before its value. */
  setInt32(at: number, value: number): void {
    this.#view.setInt32(at, value);
  }

  /** The bytes written, without a copy; the writer must not be used afterwards. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes a text behind the end; false when it is not pure ASCII, and what was written is then to be overwritten. */
  #tryWriteAscii(value: string): boolean {
    const bytes = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > LAST_ASCII) return false;
      bytes[start + index] = code;
    }
    return true;
  }

  /** Reserves bytes and returns their offset. May replace buffer and view, so call it before reading either. */
  #advance(bytes: number): number {
    const at = this.#length;
    if (at + bytes > this.#bytes.length) this.#reserve(bytes);
    this.#length = at + bytes;
    return at;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);
