import type { ObservedSpan } from '#facts/observed-span';
import { encodeValue } from '#facts/observed-span-json';
import { ByteWriter } from './byte-writer.ts';
import { KeyDictionaryWriter } from './key-dictionary.ts';
import { FAR_INSTANT, FORMAT_VERSION, HAS, PHASES, STATUSES, TAG, type KeyOwner } from './span-format.ts';

/**
 * Allocation-free binary encoder of spans. Shared parts are encoded once and then copied: the resource of a process, and the
 * attribute names of all spans of one name.
 */
export class SpanEncoder {
  readonly #writer: ByteWriter;
  readonly #names: Readonly<Record<KeyOwner, KeyDictionaryWriter>> = {
    started: new KeyDictionaryWriter(),
    ended: new KeyDictionaryWriter(),
    event: new KeyDictionaryWriter(),
    resource: new KeyDictionaryWriter(),
  };
  readonly #resourceWriter = new ByteWriter(1024);
  #resource: ObservedSpan['resource'] | null = null;
  #resourceBytes: Buffer = Buffer.alloc(0);

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /**
   * Appends a span.
   *
   * @throws TypeError when an attribute cannot be encoded as JSON; the caller has to cut off the partial span
   */
  encode(span: ObservedSpan): void {
    const writer = this.#writer;
    const { parentSpanId, endTimeUnixNano, statusMessage, events } = span;
    const has =
      (parentSpanId === null ? 0 : HAS.parent) |
      (endTimeUnixNano === null ? 0 : HAS.end) |
      (statusMessage === null ? 0 : HAS.message);
    writer.byte(FORMAT_VERSION);
    writer.byte(has | (PHASES.indexOf(span.phase) << HAS.bits));
    writer.byte(STATUSES.indexOf(span.statusCode));
    writer.text(span.traceId);
    writer.text(span.spanId);
    if (parentSpanId !== null) writer.text(parentSpanId);
    writer.text(span.name);
    writeInstant(writer, span.startTimeUnixNano);
    if (endTimeUnixNano !== null) writeInstant(writer, endTimeUnixNano);
    if (statusMessage !== null) writer.text(statusMessage);
    writer.count(span.droppedAttributesCount);
    writer.count(span.droppedEventsCount);
    const names = this.#names[span.phase].bytesOf(span.name, span.attributes);
    writeMembers(writer, span.attributes, names);
    writer.count(events.length);
    for (const event of events) {
      writer.text(event.name);
      writeInstant(writer, event.timeUnixNano);
      const names = this.#names.event.bytesOf(event.name, event.attributes);
      writeMembers(writer, event.attributes, names);
    }
    this.#writeResource(span.resource);
    if (span.traceSampled !== undefined) writer.byte(span.traceSampled ? 1 : 0);
  }

  #writeResource(resource: ObservedSpan['resource']): void {
    if (resource !== this.#resource) {
      this.#resource = null;
      this.#resourceWriter.cutTo(0);
      writeMembers(this.#resourceWriter, resource, this.#names.resource.bytesOf('', resource));
      this.#resourceBytes = this.#resourceWriter.slice(0, this.#resourceWriter.length);
      this.#resource = resource;
    }
    this.#writer.count(this.#resourceBytes.length);
    this.#writer.bytes(this.#resourceBytes);
  }
}

function writeInstant(writer: ByteWriter, nanos: bigint): void {
  const isNear = BigInt.asIntN(64, nanos) === nanos && nanos !== FAR_INSTANT;
  writer.int64(isNear ? nanos : FAR_INSTANT);
  if (!isNear) writer.text(nanos.toString());
}

function writeMembers(writer: ByteWriter, members: Readonly<Record<string, unknown>>, names: Buffer): void {
  writer.count(names.length);
  writer.bytes(names);
  for (const name in members) writeValue(writer, members[name]);
}

function writeValue(writer: ByteWriter, value: unknown): void {
  switch (typeof value) {
    case 'string':
      writer.byte(TAG.text);
      writer.text(value);
      break;
    case 'number':
      writeNumber(writer, value);
      break;
    case 'boolean':
      writer.byte(value ? TAG.true : TAG.false);
      break;
    default:
      writeOther(writer, value);
  }
}

function writeNumber(writer: ByteWriter, value: number): void {
  if ((value | 0) === value && !Object.is(value, -0)) {
    writer.byte(TAG.int32);
    writer.int32(value);
  } else {
    writer.byte(TAG.double);
    writer.double(value);
  }
}

/** Fallback for values that no attribute of the vocabulary has: JSON, or no value where JSON has none. */
function writeOther(writer: ByteWriter, value: unknown): void {
  const json = encodeValue(value);
  if (json === undefined) writer.byte(TAG.none);
  else {
    writer.byte(TAG.json);
    writer.text(json);
  }
}
