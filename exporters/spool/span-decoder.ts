import type { ObservedEvent, ObservedSpan } from '../../src/facts/observed-span.ts';
import { decodeValue } from '../../src/facts/observed-span-json.ts';
import { ByteReader } from './byte-reader.ts';
import { FORMAT_VERSION, HAS, PHASES, STATUSES, TAG } from './span-format.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads what a `SpanEncoder` wrote. Records that follow one another share what they have in common: the names of their
 * attributes, texts that come again, and the whole resource.
 */
export class SpanDecoder {
  readonly #reader = new ByteReader();
  #resourceBytes: Buffer = Buffer.alloc(0);
  #resource: Members = {};

  /** The span of a record. @throws RangeError or SyntaxError when it is none that this version can read */
  decode(payload: Uint8Array): ObservedSpan {
    const reader = this.#reader;
    reader.open(payload);
    if (reader.byte() !== FORMAT_VERSION) throw new RangeError('The record is of another version.');
    const has = reader.byte();
    const statusCode = known(STATUSES, reader.byte());
    const traceId = reader.text();
    const spanId = reader.text();
    const parentSpanId = (has & HAS.parent) === 0 ? null : reader.text();
    const name = reader.text();
    const startTimeUnixNano = reader.int64();
    const endTimeUnixNano = (has & HAS.end) === 0 ? null : reader.int64();
    const statusMessage = (has & HAS.message) === 0 ? null : reader.text();
    const droppedAttributesCount = reader.count();
    const droppedEventsCount = reader.count();
    return {
      phase: known(PHASES, has >> HAS.bits),
      traceId,
      spanId,
      parentSpanId,
      name,
      startTimeUnixNano,
      endTimeUnixNano,
      statusCode,
      statusMessage,
      attributes: readMembers(reader),
      events: readEvents(reader),
      resource: this.#readResource(),
      droppedAttributesCount,
      droppedEventsCount,
    };
  }

  #readResource(): Members {
    const bytes = this.#reader.bytes(this.#reader.count());
    if (this.#resourceBytes.equals(bytes)) return this.#resource;
    const reader = new ByteReader();
    reader.open(bytes);
    this.#resource = readMembers(reader);
    // The bytes belong to the segment, which is let go of.
    this.#resourceBytes = Buffer.from(bytes);
    return this.#resource;
  }
}

function readEvents(reader: ByteReader): readonly ObservedEvent[] {
  const events: ObservedEvent[] = [];
  for (let left = reader.count(); left > 0; left -= 1) {
    const name = reader.text();
    const timeUnixNano = reader.int64();
    events.push({ name, timeUnixNano, attributes: readMembers(reader) });
  }
  return events;
}

function readMembers(reader: ByteReader): Members {
  const members: Record<string, unknown> = {};
  for (let tag = reader.byte(); tag !== TAG.end; tag = reader.byte()) {
    const name = reader.text();
    const value = readValue(reader, tag);
    if (name !== '__proto__') members[name] = value;
    else
      Object.defineProperty(members, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return members;
}

function readValue(reader: ByteReader, tag: number): unknown {
  switch (tag) {
    case TAG.text:
      return reader.text();
    case TAG.int32:
      return reader.int32();
    case TAG.double:
      return reader.double();
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.json:
      return decodeValue(reader.text());
    default:
      throw new RangeError(`No value has the tag ${tag}.`);
  }
}

function known<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new RangeError(`There is no value ${index} in this version.`);
  return value;
}
