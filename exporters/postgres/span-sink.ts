import type { SpanSink } from '../export-report.ts';
import type { ForecastSpanExporter } from './exporter.ts';

/** The exporter as the processor of Barograph wants it. */
export const toSink = (exporter: ForecastSpanExporter): SpanSink => ({
  export: exporter.exportObserved.bind(exporter),
  prepare: exporter.prepare.bind(exporter),
  writeDeadLetter: exporter.writeDeadLetter.bind(exporter),
});
