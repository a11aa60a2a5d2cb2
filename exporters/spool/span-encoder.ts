import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import { encodeValue } from '../../src/facts/observed-span-json.ts';
import { ByteWriter } from './byte-writer.ts';
import { FORMAT_VERSION, HAS, PHASES, STATUSES, TAG } from './span-format.ts';

/**
 * Writes spans as bytes, without an object or a text that is made for it. The resource, which all spans of a process
 * share, is written once and copied from then on.
 */
export class SpanEncoder {
  readonly #writer: ByteWriter;
  readonly #resourceWriter = new ByteWriter();
  #resource: ObservedSpan['resource'] | null = null;
  #resourceBytes: Buffer = Buffer.alloc(0);

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /**
   * Writes a span behind what was written before.
   *
   * @throws TypeError when an attribute cannot be written as JSON, RangeError when an instant has more than 64 bits; a
   *   part of the span is then written
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
    writer.int64(span.startTimeUnixNano);
    if (endTimeUnixNano !== null) writer.int64(endTimeUnixNano);
    if (statusMessage !== null) writer.text(statusMessage);
    writer.count(span.droppedAttributesCount);
    writer.count(span.droppedEventsCount);
    writeMembers(writer, span.attributes);
    writer.count(events.length);
    for (const event of events) {
      writer.text(event.name);
      writer.int64(event.timeUnixNano);
      writeMembers(writer, event.attributes);
    }
    this.#writeResource(span.resource);
  }

  #writeResource(resource: ObservedSpan['resource']): void {
    if (resource !== this.#resource) {
      this.#resource = null;
      this.#resourceWriter.cutTo(0);
      writeMembers(this.#resourceWriter, resource);
      this.#resourceBytes = this.#resourceWriter.slice(0, this.#resourceWriter.length);
      this.#resource = resource;
    }
    this.#writer.count(this.#resourceBytes.length);
    this.#writer.bytes(this.#resourceBytes);
  }
}

/** Names and values, one behind the other; the names end with an empty tag, so that they need not be counted before. */
function writeMembers(writer: ByteWriter, members: Readonly<Record<string, unknown>>): void {
  for (const name in members) {
    const value = members[name];
    switch (typeof value) {
      case 'string':
        writer.byte(TAG.text);
        writer.text(name);
        writer.text(value);
        break;
      case 'number':
        writeNumber(writer, name, value);
        break;
      case 'boolean':
        writer.byte(value ? TAG.true : TAG.false);
        writer.text(name);
        break;
      default:
        writeOther(writer, name, value);
    }
  }
  writer.byte(TAG.end);
}

function writeNumber(writer: ByteWriter, name: string, value: number): void {
  const isInt32 = (value | 0) === value && !Object.is(value, -0);
  writer.byte(isInt32 ? TAG.int32 : TAG.double);
  writer.text(name);
  if (isInt32) writer.int32(value);
  else writer.double(value);
}

/** What no attribute of the vocabulary is. What JSON leaves out is left out. */
function writeOther(writer: ByteWriter, name: string, value: unknown): void {
  const json = encodeValue(value);
  if (json === undefined) return;
  writer.byte(TAG.json);
  writer.text(name);
  writer.text(json);
}
