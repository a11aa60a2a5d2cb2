import { requireDepth, setAttribute, type Attributes } from './attributes.ts';
import type { CountItem } from './item-limit.ts';
import { fieldTag, type ProtobufReader } from './protobuf-reader.ts';

// Field numbers of opentelemetry-proto, v1: common.proto.
const KEY_VALUE = { key: fieldTag(1, 'bytes'), value: fieldTag(2, 'bytes') };
const ANY_VALUE = {
  text: fieldTag(1, 'bytes'),
  flag: fieldTag(2, 'varint'),
  integer: fieldTag(3, 'varint'),
  double: fieldTag(4, 'fixed64'),
  array: fieldTag(5, 'bytes'),
  members: fieldTag(6, 'bytes'),
  bytes: fieldTag(7, 'bytes'),
};
/** The only field of ArrayValue and of KeyValueList. */
const VALUES = fieldTag(1, 'bytes');

/** Reads one KeyValue into `attributes`. */
export function readAttribute(
  reader: ProtobufReader,
  attributes: Attributes,
  { count, depth = 0 }: { readonly count: CountItem; readonly depth?: number },
): void {
  count();
  let key = '';
  let value: unknown = null;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === KEY_VALUE.key) key = reader.text();
    else if (tag === KEY_VALUE.value) value = readValue(reader.message(), count, depth);
    else reader.skip(tag);
  }
  setAttribute(attributes, key, value);
}

/** An AnyValue: text, flag, number, list or object; bytes as base64 text, an absent value as null. */
function readValue(reader: ProtobufReader, count: CountItem, depth: number): unknown {
  requireDepth(depth);
  let value: unknown = null;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    switch (tag) {
      case ANY_VALUE.text:
        value = reader.text();
        break;
      case ANY_VALUE.flag:
        value = Number(reader.int64()) !== 0;
        break;
      case ANY_VALUE.integer:
        value = reader.int64();
        break;
      case ANY_VALUE.double:
        value = reader.double();
        break;
      case ANY_VALUE.array:
        value = readArray(reader.message(), count, depth + 1);
        break;
      case ANY_VALUE.members:
        value = readMembers(reader.message(), count, depth + 1);
        break;
      case ANY_VALUE.bytes:
        value = reader.bytes('base64');
        break;
      default:
        reader.skip(tag);
    }
  }
  return value;
}

/** An ArrayValue; a value without a kind is null in it. */
function readArray(reader: ProtobufReader, count: CountItem, depth: number): unknown[] {
  const values: unknown[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag !== VALUES) {
      reader.skip(tag);
      continue;
    }
    count();
    values.push(readValue(reader.message(), count, depth));
  }
  return values;
}

/** A KeyValueList. */
function readMembers(reader: ProtobufReader, count: CountItem, depth: number): Attributes {
  const members: Attributes = {};
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === VALUES) readAttribute(reader.message(), members, { count, depth });
    else reader.skip(tag);
  }
  return members;
}
