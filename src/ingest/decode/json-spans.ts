import { z } from 'zod';
import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { type Attributes, STATUS_CODES } from './attributes.ts';
import { createItemLimit, type CountItem } from './item-limit.ts';
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
    .regex(/^[0-9a-fA-F]*$/, 'no hexadecimal digits')
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
const event = z.object({ timeUnixNano: nanos, name: text, attributes });
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
  status: z.object({ message: text, code: statusCode }).nullish(),
});
const request = z.object({
  resourceSpans: list(
    z.object({
      resource: z.object({ attributes }).nullish(),
      scopeSpans: list(z.object({ spans: list(span) })),
    }),
  ),
});

/**
 * The spans of an ExportTraceServiceRequest in JSON, in the order in which they were sent.
 *
 * @throws HttpError 400 when the text is no such message, 413 when it holds too much
 */
export function decodeJsonSpans(body: Buffer): ObservedSpan[] {
  const parsed = request.safeParse(parseJson(body));
  if (!parsed.success) throw malformed(describeIssue(parsed.error));
  const count = createItemLimit();
  return parsed.data.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const shared = readJsonAttributes(resource?.attributes ?? [], count);
    return scopeSpans.flatMap(({ spans }) => spans.map((read) => toSpan(read, shared, count)));
  });
}

/** @throws HttpError 400 for invalid JSON */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed('it is no JSON');
  }
}

/** The first issue with its path, for example `resourceSpans[0].scopeSpans[0].spans[3].spanId`. */
function describeIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'it is no request to export traces';
  const place = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${place.replace(/^\./, '') || 'it'} is wrong: ${issue.message}`;
}

function toSpan(read: z.output<typeof span>, resource: Attributes, count: CountItem): ObservedSpan {
  count();
  const { parentSpanId, attributes: list, events, status, ...same } = read;
  return {
    ...same,
    phase: 'ended',
    parentSpanId: parentSpanId || null,
    statusCode: status?.code ?? 'unset',
    statusMessage: status?.message || null,
    attributes: readJsonAttributes(list, count),
    events: events.map((one) => toEvent(one, count)),
    resource,
  };
}

function toEvent(read: z.output<typeof event>, count: CountItem): ObservedEvent {
  count();
  return { ...read, attributes: readJsonAttributes(read.attributes, count) };
}
