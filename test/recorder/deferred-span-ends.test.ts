import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { ExportReport } from '#exporters/export-report';
import type { SdkSpan } from '#processor/observed-span';
import type { ObservedSpan } from '#facts/observed-span';
import { deferredSpanEnds } from '#recorder/deferred-span-ends';

const SPAN: SdkSpan = {
  name: 'era5 score',
  spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }),
  startTime: [1_795_000_000, 5],
  endTime: [1_795_000_001, 7],
  status: { code: SpanStatusCode.UNSET },
  attributes: { 'weather.score.era5': Number.NaN, 'weather.response.message': 'NUL \u0000 and ß' },
  events: [{ name: 'weather.component_score', time: [1_795_000_001, 7], attributes: { rmse: -0 } }],
  resource: { attributes: { 'service.instance.id': 'instance-1' } },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
};

/** Ends on a recording that gives these reports, one after the other, and what it was given. */
function open(...reports: readonly ExportReport[]) {
  const written: ObservedSpan[] = [];
  const left = [...reports];
  const ends = deferredSpanEnds({
    write: async (spans) => {
      written.push(...spans);
      return left.shift() ?? { kind: 'written' };
    },
  });
  return { ends, written };
}

describe('deferredSpanEnds', () => {
  it('an encoded end is recorded unchanged, NaN and control characters included', async () => {
    const { ends, written } = open();
    const encoded = ends.encode(SPAN);
    expect(encoded).toMatch(/^[A-Za-z0-9+/=]+$/);
    await ends.record(encoded);
    expect(written).toEqual([
      {
        phase: 'ended',
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        parentSpanId: null,
        name: 'era5 score',
        startTimeUnixNano: 1_795_000_000_000_000_005n,
        endTimeUnixNano: 1_795_000_001_000_000_007n,
        statusCode: 'unset',
        statusMessage: null,
        attributes: SPAN.attributes,
        events: [
          {
            name: 'weather.component_score',
            timeUnixNano: 1_795_000_001_000_000_007n,
            attributes: { rmse: -0 },
          },
        ],
        resource: { 'service.instance.id': 'instance-1' },
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        traceSampled: true,
      },
    ]);
  });

  it('recording an end rejects with the reason while the database is away, so that the caller retries', async () => {
    const { ends } = open({ kind: 'retryable', error: new Error('the database is away') });
    await expect(ends.record(ends.encode(SPAN))).rejects.toThrow('the database is away');
    await expect(ends.record(ends.encode(SPAN))).resolves.toBeUndefined();
  });

  it('an end that is rejected for good resolves, so that its job is not retried for ever', async () => {
    const { ends } = open({ kind: 'rejected', error: new Error('no') });
    await expect(ends.record(ends.encode(SPAN))).resolves.toBeUndefined();
  });
});
