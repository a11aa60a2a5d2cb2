import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireWriter } from '#postgres/sql/binary/wire-writer';

const INT64_LIMIT = 2n ** 63n;

/** A write, and the bytes that the protocol specifies for it. */
interface Written {
  readonly write: (writer: WireWriter) => void;
  readonly bytes: Buffer;
}

const bytesOf = (size: number, fill: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.alloc(size);
  fill(bytes);
  return bytes;
};

const anyText = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constant('x'.repeat(300)),
);

const anyWritten: fc.Arbitrary<Written> = fc.oneof(
  fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }).map((value) => ({
    write: (writer: WireWriter) => writer.int16(value),
    bytes: bytesOf(2, (bytes) => bytes.writeInt16BE(value)),
  })),
  fc.integer().map((value) => ({
    write: (writer: WireWriter) => writer.int32(value),
    bytes: bytesOf(4, (bytes) => bytes.writeInt32BE(value)),
  })),
  fc.maxSafeInteger().map((value) => ({
    write: (writer: WireWriter) => writer.int64(value),
    bytes: bytesOf(8, (bytes) => bytes.writeBigInt64BE(BigInt(value))),
  })),
  fc.bigInt({ min: -INT64_LIMIT, max: INT64_LIMIT - 1n }).map((value) => ({
    write: (writer: WireWriter) => writer.bigInt64(value),
    bytes: bytesOf(8, (bytes) => bytes.writeBigInt64BE(value)),
  })),
  fc.double().map((value) => ({
    write: (writer: WireWriter) => writer.float64(value),
    bytes: bytesOf(8, (bytes) => bytes.writeDoubleBE(value)),
  })),
  fc.nat(255).map((value) => ({
    write: (writer: WireWriter) => writer.byte(value),
    bytes: Buffer.from([value]),
  })),
  anyText.map((value) => ({
    write: (writer: WireWriter) => writer.text(value),
    bytes: Buffer.from(value),
  })),
);

describe('WireWriter', () => {
  it('the bytes do not depend on the initial capacity', () => {
    fc.assert(
      fc.property(fc.array(anyWritten, { maxLength: 40 }), fc.nat(64), (all, room) => {
        const writer = new WireWriter(room);
        for (const { write } of all) write(writer);
        expect(writer.bytes()).toEqual(Buffer.concat(all.map(({ bytes }) => bytes)));
      }),
      { numRuns: 1000 },
    );
  });

  it('a length is overwritten also after the buffer has grown', () => {
    const writer = new WireWriter(4);
    writer.int32(0);
    writer.text('more than there was room for');
    writer.setInt32(0, writer.length - 4);
    expect(writer.bytes()).toEqual(Buffer.from('\0\0\0\x1cmore than there was room for'));
  });
});
