import { toExactNumber } from './attributes.ts';
import { malformed } from '../http-error.ts';

/** Wire types of protobuf. 3 and 4, the groups, are deprecated and not part of OTLP. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
type WireName = keyof typeof WIRE;

/** The tag before a field: number and wire type. A known number with another wire type is an unknown field. */
export const fieldTag = (number: number, wire: WireName): number => number * 8 + WIRE[wire];

const MAX_VARINT_BYTES = 10;
/** Bytes of a varint (7 bits each) that a double holds exactly (53 bits). */
const EXACT_VARINT_BYTES = 7;
const MAX_UINT32 = 2 ** 32 - 1;

/**
 * Streaming protobuf reader: field by field, in one pass over the bytes.
 *
 * Every read beyond the end of the message throws an HttpError 400.
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

  /** A varint as an unsigned 32-bit count, saturated: a length that does not fit then fails the bounds check. */
  uint32(): number {
    const value = this.int64();
    return typeof value === 'number' && value >= 0 ? Math.min(value, MAX_UINT32) : MAX_UINT32;
  }

  /** Four bytes, little-endian, as an unsigned integer. */
  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  /** Eight bytes, little-endian, as an unsigned integer. */
  fixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  /** Eight bytes, little-endian, as a double. */
  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** UTF-8 text; invalid bytes become U+FFFD. */
  text(): string {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** Bytes, encoded as `hex` or `base64`. */
  bytes(encoding: 'hex' | 'base64'): string {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.toString(encoding, start, start + length);
  }

  /** A reader of the nested message. */
  message(): ProtobufReader {
    const length = this.uint32();
    const start = this.#take(length);
    return new ProtobufReader(this.#bytes, start, start + length);
  }

  /** Skips an unknown field. */
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

  /** The bytes of a varint beyond the exact range of a double. */
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

  /** Advances by `length` after a bounds check. @returns the offset before */
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
