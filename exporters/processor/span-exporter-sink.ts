import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { ExportReport, SpanSink } from '../export-report.ts';
import { toReadableSpan } from './readable-span.ts';

/**
 * Any span exporter of OpenTelemetry as a sink, so that a spool can stand before it. It is given the spans that have
 * ended, for it knows nothing of running ones. What it fails to export is exported again: it does not report whether
 * that can help.
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
