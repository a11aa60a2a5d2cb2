import { ExportResultCode } from '@opentelemetry/core';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { deliverBatch } from '#processor/deliver-batch';
import { toObservedSpan } from '#processor/observed-span';
import { toSpanSink } from '#processor/span-exporter-sink';
import { SpoolBench, spanOf, startOfSpan } from '../spool/support/spool-bench.ts';
import { temporaryFolder } from '#test/support/temporary-folder';
import { deliveryTo } from './support/delivery.ts';

describe('toSpanSink', () => {
  it('the exporter gets every ended span unchanged, those of a dead process included', async () => {
    const exporter = new InMemorySpanExporter();
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    const spans = [1, 2, 3].map((at) => spanOf(at, { attributes: { 'weather.job.id': `job-${at}` } }));
    spool.push(startOfSpan(spanOf(9)), 0);
    for (const span of spans) spool.push(span, 0);
    spool.flushNow();
    const successor = await bench.recover();
    while (successor !== null && successor.spool.size > 0) {
      await deliverBatch(await successor.spool.take(2), deliveryTo(toSpanSink(exporter)));
      successor.spool.settle();
    }
    const exported = exporter.getFinishedSpans().map((span) => toObservedSpan(span, 'ended'));
    const sent = { statusMessage: null, traceSampled: true };
    expect(exported.slice(0, 3)).toEqual(spans.map((span) => ({ ...span, ...sent })));
    expect(exported.slice(3).map(({ spanId }) => spanId)).toEqual([spanOf(9).spanId]);
  });

  it('a failed export is retried, and started steps are not exported', async () => {
    let asked = 0;
    const sink = toSpanSink({
      export: (_spans, done) => {
        asked += 1;
        done({ code: asked === 1 ? ExportResultCode.FAILED : ExportResultCode.SUCCESS });
      },
      shutdown: () => Promise.resolve(),
    });
    expect(await sink.export([startOfSpan(spanOf(1))])).toEqual({ kind: 'written' });
    expect(asked).toBe(0);
    const batch = { spans: [spanOf(1)], queuedAt: 0 };
    expect(await deliverBatch(batch, deliveryTo(sink))).toEqual({ kind: 'settled', kept: 1, rejected: 0 });
    expect(asked).toBe(2);
  });
});
