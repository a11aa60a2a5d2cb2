import { SpanStatusCode, TraceFlags, type Attributes, type HrTime } from '@opentelemetry/api';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace';
import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { hideSecrets, hideSecretValues } from '#semconv/secret-values';

/** Structural subset of the SDK's span, so that spans of another SDK version fit as well. */
export type SdkSpan = Pick<
  ReadableSpan,
  | 'name'
  | 'spanContext'
  | 'parentSpanContext'
  | 'startTime'
  | 'endTime'
  | 'status'
  | 'attributes'
  | 'droppedAttributesCount'
  | 'droppedEventsCount'
> & {
  /** What SDKs before 2.0 have in place of `parentSpanContext`. */
  readonly parentSpanId?: string;
  readonly events: readonly Pick<TimedEvent, 'name' | 'time' | 'attributes'>[];
  readonly resource: { readonly attributes: Attributes };
};

const STATUS = {
  [SpanStatusCode.UNSET]: 'unset',
  [SpanStatusCode.OK]: 'ok',
  [SpanStatusCode.ERROR]: 'error',
} as const;

/** Converts the SDK's pair of seconds and nanoseconds to nanoseconds since 1970. */
export const toUnixNano = ([seconds, nanos]: HrTime): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

/**
 * Converts a span of the SDK, without its secrets: what is made of it reaches spools and tables. A started span is copied,
 * because its step may still set attributes; an ended one is immutable and shares its attributes unless one holds a secret.
 */
export function toObservedSpan(span: SdkSpan, phase: ObservedSpan['phase']): ObservedSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const isStarted = phase === 'started';
  return {
    phase,
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? span.parentSpanId ?? null,
    name: hideSecretValues(span.name),
    startTimeUnixNano: toUnixNano(span.startTime),
    endTimeUnixNano: isStarted ? null : toUnixNano(span.endTime),
    statusCode: STATUS[span.status.code],
    statusMessage: span.status.message === undefined ? null : hideSecretValues(span.status.message),
    attributes: hideSecrets(isStarted ? { ...span.attributes } : span.attributes),
    events: span.events.map(toObservedEvent),
    resource: hideSecrets(span.resource.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    traceSampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
  };
}

function toObservedEvent({ name, time, attributes }: SdkSpan['events'][number]): ObservedEvent {
  return {
    name: hideSecretValues(name),
    timeUnixNano: toUnixNano(time),
    attributes: hideSecrets(attributes ?? {}),
  };
}
