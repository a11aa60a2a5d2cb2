import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider, type Span } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { toObservedSpan, toUnixNano } from '#processor/observed-span';

const resource = resourceFromAttributes({ 'service.instance.id': 'validator-1' });
const tracer = new TracerProvider({ resource, spanLimits: { eventCountLimit: 1 } }).getTracer('test');
const start = (parent = ROOT_CONTEXT): Span =>
  tracer.startSpan(
    'poll attempt',
    { attributes: { 'weather.step.name': 'poll' }, startTime: [1_800_000_000, 5] },
    parent,
  ) as Span;

describe('toObservedSpan', () => {
  it('a started span is a snapshot that later attributes do not change', () => {
    const span = start();
    const observed = toObservedSpan(span, 'started');
    span.setAttribute('weather.step.status', 'succeeded').end([1_800_000_001, 7]);
    expect(observed).toEqual({
      phase: 'started',
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: null,
      name: 'poll attempt',
      startTimeUnixNano: 1_800_000_000_000_000_005n,
      endTimeUnixNano: null,
      statusCode: 'unset',
      statusMessage: null,
      attributes: { 'weather.step.name': 'poll' },
      events: [],
      resource: { 'service.instance.id': 'validator-1' },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      traceSampled: true,
    });
  });

  it('the parent is read from spans of SDK 1.x, which name it by its id alone', () => {
    const span = start();
    span.end();
    const { name, startTime, endTime, status, attributes, events, resource } = span;
    const dropped = { droppedAttributesCount: 0, droppedEventsCount: 0 };
    const ofVersion1 = { name, startTime, endTime, status, attributes, events, resource, ...dropped };
    const parentSpanId = 'b7ad6b7169203331';
    const spanContext = () => span.spanContext();
    expect(toObservedSpan({ ...ofVersion1, spanContext, parentSpanId }, 'ended').parentSpanId).toBe(
      parentSpanId,
    );
  });

  it('an ended span has its end, status, events and dropped counts', () => {
    const parent = start();
    const span = start(trace.setSpan(ROOT_CONTEXT, parent));
    span.addEvent('lost', [1_800_000_000, 6]);
    span.addEvent('kept', { 'weather.component.rmse': 1.5 }, [1_800_000_000, 7]);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'late' });
    span.end([1_800_000_001, 7]);
    expect(toObservedSpan(span, 'ended')).toMatchObject({
      phase: 'ended',
      parentSpanId: parent.spanContext().spanId,
      endTimeUnixNano: 1_800_000_001_000_000_007n,
      statusCode: 'error',
      statusMessage: 'late',
      events: [
        {
          name: 'kept',
          timeUnixNano: 1_800_000_000_000_000_007n,
          attributes: { 'weather.component.rmse': 1.5 },
        },
      ],
      droppedEventsCount: 1,
    });
  });
});

describe('toUnixNano', () => {
  it('nanoseconds beyond the precision of a number are exact', () => {
    expect(toUnixNano([1_800_000_000, 999_999_999])).toBe(1_800_000_000_999_999_999n);
  });
});
