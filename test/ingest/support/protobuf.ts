/** A message written by hand, byte by byte. */
export type Bytes = readonly number[];

const varint = (value: bigint | number): Bytes => {
  const rest = BigInt.asUintN(64, BigInt(value));
  return rest < 128n ? [Number(rest)] : [Number(rest & 127n) + 128, ...varint(rest >> 7n)];
};
/** A field of wire type 0. */
export const number = (field: number, value: bigint | number): Bytes => [
  ...varint(field * 8),
  ...varint(value),
];
/** A field of wire type 2: a message, bytes or text. */
export const bytes = (field: number, content: Bytes | string): Bytes => {
  const raw = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint(field * 8 + 2), ...varint(raw.length), ...raw];
};
/** A field of wire type 1. */
export const fixed64 = (field: number, value: bigint): Bytes => {
  const content = Buffer.alloc(8);
  content.writeBigUInt64LE(value);
  return [...varint(field * 8 + 1), ...content];
};
/** A field of wire type 1. */
export const double = (field: number, value: number): Bytes => {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return [...varint(field * 8 + 1), ...content];
};
/** A field of wire type 5. */
export const fixed32 = (field: number, content: Bytes): Bytes => [...varint(field * 8 + 5), ...content];
/** A KeyValue in a field of its own. */
export const attribute = (field: number, key: string, value: Bytes): Bytes =>
  bytes(field, [...bytes(1, key), ...bytes(2, value)]);

const TRACE_ID = [
  0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36,
];
const SPAN_ID = [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7];

/** The fields that identify a span. */
export const identity: Bytes = [...bytes(1, TRACE_ID), ...bytes(2, SPAN_ID)];

/** A request with spans of one resource. */
export const request = (spans: readonly Bytes[], resource: readonly Bytes[] = []): Buffer =>
  Buffer.from(
    bytes(1, [
      ...bytes(1, resource.flat()),
      ...bytes(
        2,
        spans.flatMap((span) => bytes(2, span)),
      ),
    ]),
  );
