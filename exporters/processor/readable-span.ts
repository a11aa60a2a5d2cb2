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
 * Rebuilds the SDK's span from a recorded one, for exporters of the SDK; used where the process of the span is dead. Links
 * and kind are not recorded, so there are no links and the kind is internal.
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
