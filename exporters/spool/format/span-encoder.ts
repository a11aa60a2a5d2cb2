import type { ObservedSpan } from '#facts/observed-span';
import { encodeValue } from '#facts/observed-span-json';
import { ByteWriter } from './byte-writer.ts';
import { NamesWriter } from './key-dictionary.ts';
import { FAR_INSTANT, FORMAT_VERSION, HAS, PHASES, STATUSES, TAG, type Bearer } from './span-format.ts';

/**
 * Writes spans as bytes, without an object or a text that is made for it. What spans share is encoded once and copied
 * from then on: the resource of a process, and the names of attributes of spans of one name.
 */
export class SpanEncoder {
  readonly #writer: ByteWriter;
  readonly #names: Readonly<Record<Bearer, NamesWriter>> = {
    started: new NamesWriter(),
    ended: new NamesWriter(),
    event: new NamesWriter(),
    resource: new NamesWriter(),
  };
  readonly #resourceWriter = new ByteWriter(1024);
  #resource: ObservedSpan['resource'] | null = null;
  #resourceBytes: Buffer = Buffer.alloc(0);

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /**
   * Writes a span behind what was written before.
   *
   * @throws TypeError when an attribute cannot be written as JSON; a part of the span is then written
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

/** What no attribute of the vocabulary is. */
function writeOther(writer: ByteWriter, value: unknown): void {
  const json = encodeValue(value);
  if (json === undefined) writer.byte(TAG.none);
  else {
    writer.byte(TAG.json);
    writer.text(json);
  }
}
