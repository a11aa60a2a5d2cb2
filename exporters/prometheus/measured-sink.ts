import type { ExportReport, SpanSink } from '../export-report.ts';
import type { RecorderMetrics } from './recorder-metrics.ts';

/** Decorates a sink: counts and times its batches. A rejected promise counts as `retryable`. */
export function withBatchMetrics(sink: SpanSink, recorder: Pick<RecorderMetrics, 'startBatch'>): SpanSink {
  const measured = async (work: () => Promise<ExportReport>): Promise<ExportReport> => {
    const finish = recorder.startBatch();
    try {
      const report = await work();
      finish(report.kind);
      return report;
    } catch (error) {
      finish('retryable');
      throw error;
    }
  };
  const writeDeadLetter = sink.writeDeadLetter?.bind(sink);
  const prepare = sink.prepare?.bind(sink);
  return {
    export: (spans, options) => measured(() => sink.export(spans, options)),
    ...(prepare === undefined ? {} : { prepare }),
    ...(writeDeadLetter === undefined
      ? {}
      : { writeDeadLetter: (span, error, options) => measured(() => writeDeadLetter(span, error, options)) }),
  };
}
