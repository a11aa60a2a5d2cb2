import type { Attributes, HrTime, Span, SpanContext, SpanStatus } from '@opentelemetry/api';

/** The readable members of an ended span, matched by shape, so that any OpenTelemetry SDK's span fits. */
export interface EndedSpan {
  readonly name: string;
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext;
  /** What SDKs before 2.0 have in its place. */
  readonly parentSpanId?: string;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly resource: { readonly attributes: Attributes };
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
}

interface SpanEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes;
}

/** A copy of a span; writes to it do not reach the original. */
export interface SpanCopy {
  readonly span: Span;
  /** The state of the copy. */
  readonly read: () => EndedSpan;
}

/** Whether the span can be read: a non-recording span has no members. */
export const isReadable = (span: Span): span is Span & EndedSpan =>
  span.isRecording() && 'attributes' in span && 'resource' in span && 'startTime' in span;

/** Copies a span that is still running as if it ended now, at `endMillis` since 1970. */
export function copySpan(original: Span & EndedSpan, endMillis: number): SpanCopy {
  const endTime: HrTime = [Math.trunc(endMillis / 1000), Math.round((endMillis % 1000) * 1e6)];
  const attributes: Attributes = { ...original.attributes };
  const events: SpanEvent[] = [...original.events];
  let { status } = original;
  const span: Span = {
    spanContext: () => original.spanContext(),
    setAttribute: (name, value) => {
      attributes[name] = value;
      return span;
    },
    setAttributes: (value) => {
      Object.assign(attributes, value);
      return span;
    },
    addEvent: (name, value) => {
      events.push({
        name,
        time: endTime,
        ...(typeof value === 'object' && { attributes: value as Attributes }),
      });
      return span;
    },
    setStatus: (value) => {
      status = value;
      return span;
    },
    addLink: () => span,
    addLinks: () => span,
    updateName: () => span,
    end: () => undefined,
    isRecording: () => true,
    recordException: () => undefined,
  };
  const { name, parentSpanContext, parentSpanId, startTime, resource } = original;
  const { droppedAttributesCount, droppedEventsCount } = original;
  return {
    span,
    read: () => ({
      ...{ name, startTime, endTime, status, attributes, events, resource },
      ...{ droppedAttributesCount, droppedEventsCount },
      ...(parentSpanContext !== undefined && { parentSpanContext }),
      ...(parentSpanId !== undefined && { parentSpanId }),
      spanContext: () => original.spanContext(),
    }),
  };
}
