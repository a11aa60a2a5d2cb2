/**
 * The public door of Barograph. Nothing inside goes through it, and nothing outside goes past it but by the subpaths
 * of the package: `barograph/semconv`, `barograph/postgres` and `barograph/prometheus`.
 */

// A function becomes a step, and its calls become spans.
export {
  classifyError,
  currentIdentity,
  currentTraceparent,
  instrumentationFaults,
  isRetryable,
  Step,
  step,
  withIdentity,
} from './steps/index.ts';
export type {
  FaultPlace,
  FinalResult,
  StepAttributes,
  StepDefinition,
  StepEvent,
  StepIdentity,
  StepOutcome,
} from './steps/index.ts';
export { CategorizedError, type ErrorCategory } from './semconv/index.ts';

// Spans reach a sink, whatever the sampling of traces decides.
export type { ExportReport, SpanSink } from '../exporters/export-report.ts';
export { toSpanSink } from '../exporters/processor/span-exporter-sink.ts';
export { recordingSampler } from '../exporters/processor/recording-sampler.ts';
export { RecordingSpanProcessor } from '../exporters/processor/recording-span-processor.ts';
export type {
  ProcessorCounters,
  RecordingSpanProcessorOptions,
} from '../exporters/processor/processor-options.ts';
export type { DropReason, SpanBatch, SpanQueue } from '../exporters/processor/span-queue.ts';

// Spans wait on disk for their sink, and outlive their process.
export { adoptSpools, type Adopted, type AdoptionOptions } from '../exporters/spool/adopt-spools.ts';
export { Spool, type SpoolOptions } from '../exporters/spool/exporter.ts';
export { claimFolder, type SpoolFolder } from '../exporters/spool/spool-folder.ts';

// A span becomes facts.
export type { CommittedMinerStats, MinerStats, MinerStatsRead } from './facts/miner-stats.ts';
export type { ObservedEvent, ObservedSpan } from './facts/observed-span.ts';
export type {
  ComponentScoreFact,
  DecisionFact,
  EpochMicros,
  ErrorFact,
  MetricSum,
  ScoreSums,
  StateFact,
  StepFact,
} from './facts/step-fact.ts';
export { translate, type Translation } from './facts/translate.ts';

// Facts become rows and metrics.
export { connectDatabase, type ConnectOptions } from './database/connect.ts';
export { migrate, type MigrationResult } from './database/migrate.ts';
export {
  createPostgresExporter,
  ForecastSpanExporter,
  type ForecastSpanExporterOptions,
} from '../exporters/postgres/exporter.ts';
export type { Committed } from '../exporters/postgres/write-batch.ts';
export {
  createPrometheusExporter,
  type CommittedBatch,
  type PrometheusExporter,
  type PrometheusExporterOptions,
} from '../exporters/prometheus/exporter.ts';

// All of it together, with the pipeline.
export { readConfig, type Config } from './config.ts';
export type { Pipeline, PipelineStores, RunRequest } from './pipeline/index.ts';
export type { Recording } from './recording.ts';
export { startBarograph, type Barograph, type StartOptions } from './start.ts';
