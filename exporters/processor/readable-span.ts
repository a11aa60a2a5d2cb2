import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { ObservedSpan } from '#facts/observed-span';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';

const STATUS = {
  unset: SpanStatusCode.UNSET,
  ok: SpanStatusCode.OK,
  error: SpanStatusCode.ERROR,
} as const;

const toHrTime = (nanos: bigint): HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];

/**
 * A span as an exporter of the SDK takes it, made from what was observed of it; for spans whose process is dead. Its
 * links and its kind are not known any more.
 */
export function toReadableSpan(span: ObservedSpan): ReadableSpan {
  const endTime = span.endTimeUnixNano ?? span.startTimeUnixNano;
  const contextOf = (spanId: string) => ({ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  const message = span.statusMessage === null ? {} : { message: span.statusMessage };
  return {
    name: span.name,
    kind: SpanKind.INTERNAL,
    spanContext: () => contextOf(span.spanId),
    ...(span.parentSpanId === null ? {} : { parentSpanContext: contextOf(span.parentSpanId) }),
    startTime: toHrTime(span.startTimeUnixNano),
    endTime: toHrTime(endTime),
    duration: toHrTime(endTime - span.startTimeUnixNano),
    ended: true,
    status: { code: STATUS[span.statusCode], ...message },
    attributes: span.attributes as Attributes,
    links: [],
    events: span.events.map(({ name, timeUnixNano, attributes }) => ({
      name,
      time: toHrTime(timeUnixNano),
      attributes: attributes as Attributes,
    })),
    resource: resourceFromAttributes(span.resource as Attributes),
    instrumentationScope: INSTRUMENTATION_SCOPE,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: 0,
  };
}
