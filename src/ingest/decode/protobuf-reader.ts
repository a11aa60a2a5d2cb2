import { toExactNumber } from './attributes.ts';
import { malformed } from '../http-error.ts';

/** How a field lies in the bytes. 3 and 4, the groups, were given up before OTLP began. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
type WireName = keyof typeof WIRE;

/** What stands before a field: its number and how it lies. A field that lies otherwise is an unknown one. */
export const fieldTag = (number: number, wire: WireName): number => number * 8 + WIRE[wire];

const MAX_VARINT_BYTES = 10;
/** Seven bits for each byte; a number holds 53 of them exactly. */
const EXACT_VARINT_BYTES = 7;
const MAX_UINT32 = 2 ** 32 - 1;

/**
 * Reads a protobuf message field by field, in one pass over the bytes.
 *
 * Every reading that would leave the message throws a Refusal of 400.
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Whether the message has no more fields. */
  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The tag of the next field; compare it with those of `fieldTag`. */
  tag(): number {
    const tag = Number(this.int64());
    if (tag < fieldTag(1, 'varint')) throw malformed(`a field has the number ${Math.floor(tag / 8)}`);
    return tag;
  }

  /** A varint as a signed integer, exact. */
  int64(): number | bigint {
    let value = 0;
    for (let index = 0; index < EXACT_VARINT_BYTES; index += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return this.#longInt64(BigInt(value));
  }

  /** A varint that counts; what does not fit is the largest number that does. */
  uint32(): number {
    const value = this.int64();
    return typeof value === 'number' && value >= 0 ? Math.min(value, MAX_UINT32) : MAX_UINT32;
  }

  /** Eight bytes, the lowest first, as an unsigned integer. */
  fixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  /** Eight bytes as a number of double precision. */
  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** Text; bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** Bytes, written as `hex` or `base64`. */
  bytes(encoding: 'hex' | 'base64'): string {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.toString(encoding, start, start + length);
  }

  /** A message within the message. */
  message(): ProtobufReader {
    const length = this.uint32();
    const start = this.#take(length);
    return new ProtobufReader(this.#bytes, start, start + length);
  }

  /** Goes past a field that is not known. */
  skip(tag: number): void {
    switch (tag % 8) {
      case WIRE.varint:
        this.int64();
        return;
      case WIRE.fixed64:
        this.#take(8);
        return;
      case WIRE.bytes:
        this.#take(this.uint32());
        return;
      case WIRE.fixed32:
        this.#take(4);
        return;
      default:
        throw malformed(`field ${Math.floor(tag / 8)} has the wire type ${tag % 8}`);
    }
  }

  /** The bytes of a varint beyond those that a number holds exactly. */
  #longInt64(start: bigint): number | bigint {
    let value = start;
    for (let index = EXACT_VARINT_BYTES; index < MAX_VARINT_BYTES; index += 1) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return toExactNumber(BigInt.asIntN(64, value));
    }
    throw malformed(`a varint is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  /** Where the next bytes begin, which are then behind. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) {
      throw malformed(
        `${length} bytes should follow byte ${start}, and the message ends after ${this.#end - start}`,
      );
    }
    this.#at = start + length;
    return start;
  }
}
