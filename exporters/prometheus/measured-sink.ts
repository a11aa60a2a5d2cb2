import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { ExportReport } from '../export-report.ts';
import type { RecorderMetrics } from './recorder-metrics.ts';

/** What takes batches of spans and says what became of them. */
export interface BatchSink {
  export(spans: readonly ObservedSpan[]): Promise<ExportReport>;
}

/** The same sink, with its batches counted and timed. A sink that rejects its promise counts as retryable. */
export function withBatchMetrics(sink: BatchSink, recorder: Pick<RecorderMetrics, 'startBatch'>): BatchSink {
  return {
    export: async (spans) => {
      const finish = recorder.startBatch();
      try {
        const report = await sink.export(spans);
        finish(report.kind);
        return report;
      } catch (error) {
        finish('retryable');
        throw error;
      }
    },
  };
}
