import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { ExportReport, SpanSink } from '../export-report.ts';
import { toReadableSpan } from './readable-span.ts';

/**
 * Adapts an OpenTelemetry span exporter to a sink, so that a spool can stand before it. It gets ended spans only, because the
 * SDK's contract has no running ones. Every failure counts as retryable: the SDK's result has no permanent kind.
 *
 * @example
 * ```ts
 * import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
 * import { RecordingSpanProcessor, toSpanSink } from 'barograph';
 *
 * const processor = new RecordingSpanProcessor({ sink: toSpanSink(new InMemorySpanExporter()) });
 * ```
 */
export const toSpanSink = (exporter: SpanExporter): SpanSink => ({
  export: (spans) => {
    const ended = spans.filter(({ phase }) => phase === 'ended').map(toReadableSpan);
    if (ended.length === 0) return Promise.resolve({ kind: 'written' });
    return new Promise<ExportReport>((resolve) => {
      exporter.export(ended, ({ code, error }) =>
        resolve(code === ExportResultCode.SUCCESS ? { kind: 'written' } : { kind: 'retryable', error }),
      );
    });
  },
});
