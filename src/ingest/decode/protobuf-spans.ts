import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import {
  type Attributes,
  type DecodedSpans,
  type DecodeOptions,
  endOf,
  sampledOf,
  STATUS_CODES,
} from './attributes.ts';
import { MalformedError } from '../http-error.ts';
import { Faults } from './faults.ts';
import { ItemLimit, MAX_SPANS, tooManySpans, type CountItem } from './item-limit.ts';
import { fieldTag, ProtobufReader } from './protobuf-reader.ts';
import { readAttribute } from './protobuf-values.ts';

// Field numbers of opentelemetry-proto, v1: trace_service.proto, trace.proto, resource.proto.
const REQUEST = { resourceSpans: fieldTag(1, 'bytes') };
const RESOURCE_SPANS = { resource: fieldTag(1, 'bytes'), scopeSpans: fieldTag(2, 'bytes') };
const RESOURCE = { attributes: fieldTag(1, 'bytes') };
const SCOPE_SPANS = { spans: fieldTag(2, 'bytes') };
const SPAN = {
  traceId: fieldTag(1, 'bytes'),
  spanId: fieldTag(2, 'bytes'),
  parentSpanId: fieldTag(4, 'bytes'),
  name: fieldTag(5, 'bytes'),
  startTime: fieldTag(7, 'fixed64'),
  endTime: fieldTag(8, 'fixed64'),
  attributes: fieldTag(9, 'bytes'),
  droppedAttributes: fieldTag(10, 'varint'),
  events: fieldTag(11, 'bytes'),
  droppedEvents: fieldTag(12, 'varint'),
  status: fieldTag(15, 'bytes'),
  flags: fieldTag(16, 'fixed32'),
};
const EVENT = { time: fieldTag(1, 'fixed64'), name: fieldTag(2, 'bytes'), attributes: fieldTag(3, 'bytes') };
const STATUS = { message: fieldTag(2, 'bytes'), code: fieldTag(3, 'varint') };

/** A span while its fields are read. */
type OpenSpan = { -readonly [Name in keyof ObservedSpan]: ObservedSpan[Name] } & {
  readonly attributes: Attributes;
  readonly events: ObservedEvent[];
};

/** What is read of a body, and its limit. */
interface Reading extends DecodedSpans, Required<DecodeOptions> {
  readonly count: CountItem;
}

/**
 * The spans of an ExportTraceServiceRequest in protobuf, in the order in which they were sent. An item that cannot be
 * read is a fault of its own: where the next one begins is known from its length.
 *
 * @throws HttpError 400 when the bytes are no such message, 413 when it holds too much
 */
export function decodeProtobufSpans(
  body: Buffer,
  { limit = new ItemLimit(), isWanted = () => true }: DecodeOptions = {},
): DecodedSpans {
  requireFewSpans(body);
  const read: Reading = { spans: [], faults: new Faults(), count: limit.count, limit, isWanted };
  const reader = new ProtobufReader(body);
  for (let index = 0; !reader.isAtEnd;) {
    const tag = reader.tag();
    if (tag !== REQUEST.resourceSpans) {
      reader.skip(tag);
      continue;
    }
    readResourceSpans(reader.message(), `resourceSpans[${index}]`, read);
    index += 1;
  }
  return { spans: read.spans, faults: read.faults };
}

/** Counts spans by their lengths alone, before any is read: that costs a hundredth. @throws HttpError 413 */
function requireFewSpans(body: Buffer): void {
  let spans = 0;
  const countIn = (reader: ProtobufReader, [wanted, ...below]: readonly number[]): void => {
    try {
      while (!reader.isAtEnd) {
        const tag = reader.tag();
        if (tag !== wanted) reader.skip(tag);
        else if (below.length > 0) countIn(reader.message(), below);
        else {
          reader.skip(tag);
          spans += 1;
          if (spans > MAX_SPANS) throw tooManySpans();
        }
      }
    } catch (error) {
      // What is malformed is told by those who read it, with its place; what follows it is read, and counts.
      if (!(error instanceof MalformedError)) throw error;
    }
  };
  countIn(new ProtobufReader(body), [REQUEST.resourceSpans, RESOURCE_SPANS.scopeSpans, SCOPE_SPANS.spans]);
}

/**
 * The resource may follow its spans, so they share one object that is filled when it comes. Without it nobody knows
 * whose spans they are: all of them are refused.
 */
function readResourceSpans(reader: ProtobufReader, place: string, read: Reading): void {
  const { spans, faults, count } = read;
  const before = spans.length;
  const resource: Attributes = {};
  const ofResource = new Faults();
  const readMembers = (): void => {
    for (let index = 0; !reader.isAtEnd;) {
      const tag = reader.tag();
      if (tag === RESOURCE_SPANS.scopeSpans) {
        readScopeSpans(reader.message(), { place: `${place}.scopeSpans[${index}]`, resource }, read);
        index += 1;
      } else if (tag === RESOURCE_SPANS.resource) {
        const message = reader.message();
        ofResource.isolate(
          () => readResource(message, resource, count),
          () => `${place}.resource`,
        );
      } else reader.skip(tag);
    }
  };
  faults.isolate(readMembers, () => place);
  const [fault] = ofResource.listed;
  if (fault !== undefined) faults.add(fault, spans.splice(before).length);
}

function readResource(reader: ProtobufReader, resource: Attributes, count: CountItem): void {
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === RESOURCE.attributes) readAttribute(reader.message(), resource, { count });
    else reader.skip(tag);
  }
}

function readScopeSpans(
  reader: ProtobufReader,
  { place, resource }: { readonly place: string; readonly resource: Attributes },
  read: Reading,
): void {
  for (let index = 0; !reader.isAtEnd;) {
    const tag = reader.tag();
    if (tag !== SCOPE_SPANS.spans) {
      reader.skip(tag);
      continue;
    }
    const span = newSpan(resource);
    const message = reader.message();
    read.faults.isolate(
      () => read.limit.hold(read, () => readSpan(message, span, read.count)),
      () => `${place}.spans[${index}] (span id "${span.spanId.slice(0, 40)}")`,
    );
    index += 1;
  }
}

/** The protobuf default of each field of a span. */
const newSpan = (resource: Attributes): OpenSpan => ({
  ...endOf(0n),
  traceId: '',
  spanId: '',
  parentSpanId: null,
  name: '',
  startTimeUnixNano: 0n,
  statusCode: 'unset',
  statusMessage: null,
  attributes: {},
  events: [],
  resource,
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
});

function readSpan(reader: ProtobufReader, span: OpenSpan, count: CountItem): ObservedSpan {
  count();
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (!readSpanField(reader, tag, { span, count })) reader.skip(tag);
  }
  return span;
}

/** @returns whether the field is known */
function readSpanField(
  reader: ProtobufReader,
  tag: number,
  { span, count }: { readonly span: OpenSpan; readonly count: CountItem },
): boolean {
  switch (tag) {
    case SPAN.traceId:
      span.traceId = reader.bytes('hex');
      return true;
    case SPAN.spanId:
      span.spanId = reader.bytes('hex');
      return true;
    case SPAN.parentSpanId:
      span.parentSpanId = reader.bytes('hex') || null;
      return true;
    case SPAN.name:
      span.name = reader.text();
      return true;
    case SPAN.startTime:
      span.startTimeUnixNano = reader.fixed64();
      return true;
    case SPAN.endTime:
      Object.assign(span, endOf(reader.fixed64()));
      return true;
    case SPAN.attributes:
      readAttribute(reader.message(), span.attributes, { count });
      return true;
    case SPAN.droppedAttributes:
      span.droppedAttributesCount = reader.uint32();
      return true;
    case SPAN.events:
      span.events.push(readEvent(reader.message(), count));
      return true;
    case SPAN.droppedEvents:
      span.droppedEventsCount = reader.uint32();
      return true;
    case SPAN.status:
      readStatus(reader.message(), span);
      return true;
    case SPAN.flags:
      span.traceSampled = sampledOf(reader.fixed32());
      return true;
    default:
      return false;
  }
}

function readEvent(reader: ProtobufReader, count: CountItem): ObservedEvent {
  count();
  let name = '';
  let timeUnixNano = 0n;
  const attributes: Attributes = {};
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === EVENT.time) timeUnixNano = reader.fixed64();
    else if (tag === EVENT.name) name = reader.text();
    else if (tag === EVENT.attributes) readAttribute(reader.message(), attributes, { count });
    else reader.skip(tag);
  }
  return { name, timeUnixNano, attributes };
}

/** An unknown status code is `unset`, as OTLP demands of receivers. */
function readStatus(reader: ProtobufReader, span: OpenSpan): void {
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === STATUS.message) span.statusMessage = reader.text() || null;
    else if (tag === STATUS.code) span.statusCode = STATUS_CODES[reader.uint32()] ?? 'unset';
    else reader.skip(tag);
  }
}
