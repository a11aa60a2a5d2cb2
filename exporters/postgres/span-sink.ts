import type { SpanSink } from '../export-report.ts';
import type { ForecastSpanExporter } from './exporter.ts';

/** Adapter: the exporter as the `SpanSink` of the processor. */
export const toSink = (exporter: ForecastSpanExporter): SpanSink => ({
  export: exporter.exportObserved.bind(exporter),
  prepare: exporter.prepare.bind(exporter),
  writeDeadLetter: exporter.writeDeadLetter.bind(exporter),
});
