import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { decodeValue } from '#facts/observed-span-json';
import { ByteReader } from './byte-reader.ts';
import { KeyDictionaryReader } from './key-dictionary.ts';
import { FAR_INSTANT, FORMAT_VERSION, HAS, PHASES, STATUSES, TAG, type KeyOwner } from './span-format.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * Decodes what a `SpanEncoder` encoded. Attribute names and the resource are memoized by their bytes, so that consecutive
 * spans share the strings and the resource object.
 */
export class SpanDecoder {
  readonly #reader = new ByteReader();
  readonly #names: Readonly<Record<KeyOwner, KeyDictionaryReader>> = {
    started: new KeyDictionaryReader(),
    ended: new KeyDictionaryReader(),
    event: new KeyDictionaryReader(),
    resource: new KeyDictionaryReader(),
  };
  #resourceBytes: Buffer = Buffer.alloc(0);
  #resource: Members = {};

  /** Decodes a payload. @throws RangeError or SyntaxError when it is corrupt or of another format version */
  decode(payload: Uint8Array): ObservedSpan {
    const reader = this.#reader;
    reader.open(payload);
    if (reader.byte() !== FORMAT_VERSION) throw new RangeError('The record is of another version.');
    const has = reader.byte();
    const statusCode = enumValue(STATUSES, reader.byte());
    const traceId = reader.text();
    const spanId = reader.text();
    const parentSpanId = (has & HAS.parent) === 0 ? null : reader.text();
    const name = reader.text();
    const startTimeUnixNano = readInstant(reader);
    const endTimeUnixNano = (has & HAS.end) === 0 ? null : readInstant(reader);
    const statusMessage = (has & HAS.message) === 0 ? null : reader.text();
    const droppedAttributesCount = reader.count();
    const droppedEventsCount = reader.count();
    const phase = enumValue(PHASES, has >> HAS.bits);
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
      traceSampled: reader.isAtEnd ? undefined : reader.byte() === 1,
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

  #readMembers(reader: ByteReader, owner: KeyOwner, ownerName: string): Members {
    const names = this.#names[owner].read(reader, ownerName);
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
    // A copy: a view would keep the whole buffer of the segment alive.
    const bytes = Buffer.from(this.#reader.bytes(length));
    const reader = new ByteReader();
    reader.open(bytes);
    this.#resource = this.#readMembers(reader, 'resource', '');
    this.#resourceBytes = bytes;
    return this.#resource;
  }
}

/** Sets an own property of any name: assigning to `__proto__` would replace the prototype (prototype pollution). */
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

function enumValue<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new RangeError(`There is no value ${index} in this version.`);
  return value;
}

function readInstant(reader: ByteReader): bigint {
  const nanos = reader.int64();
  return nanos === FAR_INSTANT ? BigInt(reader.text()) : nanos;
}
