import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { ObservedSpan } from '#facts/observed-span';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { hideSecrets, hideSecretValues } from '#semconv/secret-values';

const STATUS = {
  unset: SpanStatusCode.UNSET,
  ok: SpanStatusCode.OK,
  error: SpanStatusCode.ERROR,
} as const;

const toHrTime = (nanos: bigint): HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];

/**
 * Rebuilds the SDK's span from a recorded one, for exporters of the SDK; used where the process of the span is dead. Links
 * and kind are not recorded, so there are no links and the kind is internal. Of an unsampled trace it is unsampled, so that a
 * span processor of the SDK does not send it.
 */
export function toReadableSpan(span: ObservedSpan): ReadableSpan {
  const endTime = span.endTimeUnixNano ?? span.startTimeUnixNano;
  const traceFlags = span.traceSampled === false ? TraceFlags.NONE : TraceFlags.SAMPLED;
  const contextOf = (spanId: string) => ({ traceId: span.traceId, spanId, traceFlags });
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

/** Wraps an exporter: what leaves this machine holds no secrets either. Those of the resource are hidden where it is made. */
export function withoutSecrets(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.map(hideInSpan), done),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

/** A copy member by member: the spans of the SDK are no plain objects. */
function hideInSpan(span: ReadableSpan): ReadableSpan {
  const { message } = span.status;
  return {
    name: hideSecretValues(span.name),
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanContext === undefined ? {} : { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    status: message === undefined ? span.status : { ...span.status, message: hideSecretValues(message) },
    attributes: hideSecrets(span.attributes),
    links: span.links.map((link) => ({ ...link, attributes: hideSecrets(link.attributes ?? {}) })),
    events: span.events.map((event) => ({
      ...event,
      name: hideSecretValues(event.name),
      attributes: hideSecrets(event.attributes ?? {}),
    })),
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}
