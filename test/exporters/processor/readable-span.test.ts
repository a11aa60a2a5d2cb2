import { SpanKind } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toObservedSpan } from '#processor/observed-span';
import { toReadableSpan } from '#processor/readable-span';
import { closingSpan } from '#facts/closing';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan, startOfSpan, T } from '#test/support/spans';

const started = { ...startOfSpan(endedSpan({ step: 'query' })), parentSpanId: 'a'.repeat(16) };
const closing = closingSpan(started, { reason: 'process_crash', at: Number(T / 1000n) + 1_500_000 });

describe('toReadableSpan', () => {
  it('a converted span holds everything that was observed of it', () => {
    fc.assert(
      fc.property(recordedRun, (spans) => {
        for (const span of spans.filter(({ phase }) => phase === 'ended'))
          expect(toObservedSpan(toReadableSpan(span), 'ended')).toEqual({
            ...span,
            traceSampled: span.traceSampled ?? true,
          });
      }),
      { numRuns: 20 },
    );
  });

  it('a closing keeps its parent, its message and its duration to the nanosecond', () => {
    const span = toReadableSpan({ ...closing, endTimeUnixNano: T + 1_500_000_007n });
    expect(span).toMatchObject({
      kind: SpanKind.INTERNAL,
      ended: true,
      duration: [1, 500_000_007],
      parentSpanContext: { traceId: started.traceId, spanId: 'a'.repeat(16) },
      status: { message: 'the process ended while the step ran' },
    });
    expect(span.spanContext()).toMatchObject({ spanId: started.spanId, traceFlags: 1 });
  });

  it('the closing of an unsampled step is not sampled, so that it is not sent alone into a trace that nobody has', () => {
    const unsampled = closingSpan(
      { ...started, traceSampled: false },
      { reason: 'process_crash', at: Number(T / 1000n) },
    );
    expect(toReadableSpan(unsampled).spanContext().traceFlags).toBe(0);
  });

  it('a span without an end has the duration zero, not a negative one', () => {
    expect(toReadableSpan(started)).toMatchObject({ duration: [0, 0], status: {} });
    expect(toReadableSpan({ ...started, parentSpanId: null })).not.toHaveProperty('parentSpanContext');
  });
});
