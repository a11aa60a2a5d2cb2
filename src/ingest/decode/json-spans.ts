import { z } from 'zod';
import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import {
  type Attributes,
  type DecodedSpans,
  type DecodeOptions,
  endOf,
  sampledOf,
  STATUS_CODES,
} from './attributes.ts';
import { Faults } from './faults.ts';
import { ItemLimit, type CountItem } from './item-limit.ts';
import { fieldsOf, fieldsOrNull } from './json-fields.ts';
import { readJsonAttributes } from './json-values.ts';
import { malformed } from '../http-error.ts';

const MAX_UINT64 = 2n ** 64n - 1n;

/** In protobuf JSON an absent field, null and an empty list are equal. */
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
/** OTLP/JSON writes ids as hex, unlike all other bytes in protobuf JSON. */
const hex = text.pipe(
  z
    .string()
    .regex(/^[0-9a-fA-F]*$/, 'no hexadecimal digits, in which OTLP has ids in JSON too')
    .toLowerCase(),
);
/** A non-negative integer, as text or as a number. */
const natural = (pattern: RegExp, message: string) =>
  z
    .union([z.string(), z.number()], { error: message })
    .nullish()
    .transform((value) => value ?? 0)
    .refine(
      (value) => (typeof value === 'string' ? pattern.test(value) : Number.isInteger(value) && value >= 0),
      { error: message, abort: true },
    );
const nanos = natural(/^\d{1,20}$/, 'no nanoseconds since 1970, as text or number')
  .transform((value) => BigInt(value))
  .refine((value) => value <= MAX_UINT64, 'more nanoseconds than 64 bits hold');
const count32 = natural(/^\d{1,10}$/, 'no count').transform(Number);
/** An unknown status number is `unset`, as OTLP demands of receivers; an unknown name is an error. */
const statusCode = z
  .union(
    [
      z.number().transform((code) => STATUS_CODES[code] ?? 'unset'),
      z
        .enum(['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'])
        .transform((name) => STATUS_NAMES[name]),
    ],
    { error: 'no status code: a number, or STATUS_CODE_UNSET, STATUS_CODE_OK or STATUS_CODE_ERROR' },
  )
  .nullish();
const STATUS_NAMES = {
  STATUS_CODE_UNSET: 'unset',
  STATUS_CODE_OK: 'ok',
  STATUS_CODE_ERROR: 'error',
} as const;

/** Not parsed here: attributes are most of a body, and each is validated under the item and depth limits. */
const attributes = list(z.unknown());
const event = z.preprocess(fieldsOf, z.object({ timeUnixNano: nanos, name: text, attributes }));
const span = z.object({
  traceId: hex,
  spanId: hex,
  parentSpanId: hex,
  name: text,
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes,
  droppedAttributesCount: count32,
  events: list(event),
  droppedEventsCount: count32,
  status: z.preprocess(fieldsOf, z.object({ message: text, code: statusCode }).nullish()).optional(),
  flags: count32.catch(0),
});
const items = list(z.unknown());
const resource = z.preprocess(fieldsOf, z.object({ attributes }).nullish());
const resourceSpans = z.object({ resource: z.unknown().optional(), scopeSpans: items });
const scopeSpans = z.object({ spans: items });
const request = z.object({ resourceSpans: items });

/** What is read of a body, and its limit. */
interface Reading extends DecodedSpans, Required<DecodeOptions> {
  readonly count: CountItem;
}

/**
 * The spans of an ExportTraceServiceRequest in JSON, in the order in which they were sent. An item that cannot be read
 * is a fault of its own.
 *
 * @throws HttpError 400 when the text is no such message, 413 when it holds too much
 */
export function decodeJsonSpans(
  body: Buffer,
  { limit = new ItemLimit(), isWanted = () => true }: DecodeOptions = {},
): DecodedSpans {
  const read: Reading = { spans: [], faults: new Faults(), count: limit.count, limit, isWanted };
  parse(request, parseJson(body)).resourceSpans.forEach((group, index) => {
    const place = `resourceSpans[${index}]`;
    read.faults.isolate(
      () => readResourceSpans(group, place, read),
      () => place,
    );
  });
  return { spans: read.spans, faults: read.faults };
}

/** Without its resource nobody knows whose spans they are: all of them are refused. */
function readResourceSpans(group: unknown, place: string, read: Reading): void {
  const fields = parse(resourceSpans, group);
  const shared = read.faults.isolate(
    () => readJsonAttributes(parse(resource, fields.resource)?.attributes ?? [], read.count),
    () => `${place}.resource`,
    () => countSpans(fields.scopeSpans),
  );
  if (shared === null) return;
  fields.scopeSpans.forEach((scope, index) => {
    const scopePlace = `${place}.scopeSpans[${index}]`;
    read.faults.isolate(
      () => readScopeSpans(scope, { place: scopePlace, shared }, read),
      () => scopePlace,
    );
  });
}

function countSpans(scopes: readonly unknown[]): number {
  return scopes.reduce<number>((sum, scope) => {
    const parsed = z.preprocess(fieldsOrNull, scopeSpans).safeParse(scope);
    return sum + (parsed.success ? parsed.data.spans.length : 1);
  }, 0);
}

function readScopeSpans(
  scope: unknown,
  { place, shared }: { readonly place: string; readonly shared: Attributes },
  read: Reading,
): void {
  parse(scopeSpans, scope).spans.forEach((one, index) =>
    read.faults.isolate(
      () => read.limit.hold(read, () => toSpan(parse(span, one), shared, read.count)),
      () => `${place}.spans[${index}]${idOf(one)}`,
    ),
  );
}

/** The span id of an item that cannot be read, by which its sender may know it. */
function idOf(item: unknown): string {
  const fields = (fieldsOrNull(item) ?? item) as { readonly spanId?: unknown } | null | undefined;
  const spanId = fields?.spanId;
  return typeof spanId === 'string' ? ` (span id ${JSON.stringify(spanId.slice(0, 40))})` : '';
}

/** @throws HttpError 400 for a message of another shape, with the field that is wrong */
function parse<Schema extends z.ZodType>(schema: Schema, message: unknown): z.output<Schema> {
  const parsed = schema.safeParse(fieldsOf(message));
  if (parsed.success) return parsed.data;
  throw malformed(describeIssue(parsed.error));
}

/** @throws HttpError 400 for invalid JSON */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed('it is no JSON');
  }
}

/** The first issue with the path of its field in the message, for example `events[3].timeUnixNano`. */
function describeIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'it is no request to export traces';
  const place = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${place.replace(/^\./, '') || 'it'} is wrong: ${issue.message}`;
}

function toSpan(read: z.output<typeof span>, resource: Attributes, count: CountItem): ObservedSpan {
  count();
  const { parentSpanId, endTimeUnixNano, attributes: list, events, status, flags, ...same } = read;
  return {
    ...same,
    ...endOf(endTimeUnixNano),
    parentSpanId: parentSpanId || null,
    statusCode: status?.code ?? 'unset',
    statusMessage: status?.message || null,
    attributes: readJsonAttributes(list, count),
    events: events.map((one) => toEvent(one, count)),
    resource,
    traceSampled: sampledOf(flags),
  };
}

function toEvent(read: z.output<typeof event>, count: CountItem): ObservedEvent {
  count();
  return { ...read, attributes: readJsonAttributes(read.attributes, count) };
}
