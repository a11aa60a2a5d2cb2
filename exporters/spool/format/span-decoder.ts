import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { decodeValue } from '#facts/observed-span-json';
import { ByteReader } from './byte-reader.ts';
import { NamesReader } from './key-dictionary.ts';
import { FAR_INSTANT, FORMAT_VERSION, HAS, PHASES, STATUSES, TAG, type Bearer } from './span-format.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads what a `SpanEncoder` wrote. Records that follow one another share what they have in common: the names of their
 * attributes and the whole resource.
 */
export class SpanDecoder {
  readonly #reader = new ByteReader();
  readonly #names: Readonly<Record<Bearer, NamesReader>> = {
    started: new NamesReader(),
    ended: new NamesReader(),
    event: new NamesReader(),
    resource: new NamesReader(),
  };
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
    const startTimeUnixNano = readInstant(reader);
    const endTimeUnixNano = (has & HAS.end) === 0 ? null : readInstant(reader);
    const statusMessage = (has & HAS.message) === 0 ? null : reader.text();
    const droppedAttributesCount = reader.count();
    const droppedEventsCount = reader.count();
    const phase = known(PHASES, has >> HAS.bits);
    return {
      phase,
      traceId,
      spanId,
      parentSpanId,
      name,
      startTimeUnixNano,
      endTimeUnixNano,
      statusCode,
      statusMessage,
      attributes: this.#readMembers(reader, phase, name),
      events: this.#readEvents(),
      resource: this.#readResource(),
      droppedAttributesCount,
      droppedEventsCount,
    };
  }

  #readEvents(): readonly ObservedEvent[] {
    const reader = this.#reader;
    const events: ObservedEvent[] = [];
    for (let left = reader.count(); left > 0; left -= 1) {
      const name = reader.text();
      const timeUnixNano = readInstant(reader);
      events.push({ name, timeUnixNano, attributes: this.#readMembers(reader, 'event', name) });
    }
    return events;
  }

  #readMembers(reader: ByteReader, bearer: Bearer, bearerName: string): Members {
    const names = this.#names[bearer].read(reader, bearerName);
    const members: Record<string, unknown> = {};
    for (const name of names) {
      const tag = reader.byte();
      if (tag !== TAG.none) setMember(members, name, readValue(reader, tag));
    }
    return members;
  }

  #readResource(): Members {
    const length = this.#reader.count();
    if (this.#resourceBytes.length === length && this.#reader.skip(this.#resourceBytes))
      return this.#resource;
    // The bytes belong to the segment, which is let go of.
    const bytes = Buffer.from(this.#reader.bytes(length));
    const reader = new ByteReader();
    reader.open(bytes);
    this.#resource = this.#readMembers(reader, 'resource', '');
    this.#resourceBytes = bytes;
    return this.#resource;
  }
}

/** Whatever its name: setting `__proto__` would set something else. */
function setMember(members: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') members[name] = value;
  else Object.defineProperty(members, name, { value, enumerable: true, writable: true, configurable: true });
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

function readInstant(reader: ByteReader): bigint {
  const nanos = reader.int64();
  return nanos === FAR_INSTANT ? BigInt(reader.text()) : nanos;
}
