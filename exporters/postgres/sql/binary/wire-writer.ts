const TWO_TO_THE_32 = 2 ** 32;
/** Up to here a text is written faster character by character than by a call of the encoder. */
const SHORT_TEXT = 64;
const LAST_ASCII = 0x7f;
/** No character of JavaScript takes more than three bytes. */
const MOST_BYTES_OF_A_CHARACTER = 3;

/** Appends numbers and texts as the protocol of PostgreSQL wants them, most significant byte first. */
export class WireWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  /** @param expectedBytes room to begin with; more is asked for as it is needed */
  constructor(expectedBytes: number) {
    this.#bytes = Buffer.allocUnsafe(expectedBytes);
    this.#view = viewOf(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }

  int16(value: number): void {
    const at = this.#take(2);
    this.#view.setInt16(at, value);
  }

  int32(value: number): void {
    const at = this.#take(4);
    this.#view.setInt32(at, value);
  }

  /** A whole number that a double holds exactly. */
  int64(value: number): void {
    const at = this.#take(8);
    const high = Math.floor(value / TWO_TO_THE_32);
    this.#view.setInt32(at, high);
    this.#view.setUint32(at + 4, value - high * TWO_TO_THE_32);
  }

  bigInt64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigInt64(at, value);
  }

  float64(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value);
  }

  byte(value: number): void {
    const at = this.#take(1);
    this.#bytes[at] = value;
  }

  /** UTF-8, without its length. */
  text(value: string): void {
    this.#reserve(value.length * MOST_BYTES_OF_A_CHARACTER);
    if (value.length <= SHORT_TEXT && this.#wroteAscii(value)) this.#length += value.length;
    else this.#length += this.#bytes.write(value, this.#length);
  }

  /** Writes something over what was written at `at`. */
  setInt32(at: number, value: number): void {
    this.#view.setInt32(at, value);
  }

  /** What was written; the writer is not to be used any more. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes a text behind the end and returns whether it was ASCII alone; if not, what it wrote is of no use. */
  #wroteAscii(value: string): boolean {
    const bytes = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > LAST_ASCII) return false;
      bytes[start + index] = code;
    }
    return true;
  }

  /** Where the next bytes go. They may go into new memory, so call it before the memory is looked up. */
  #take(bytes: number): number {
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
