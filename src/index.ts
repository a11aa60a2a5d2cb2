/**
 * The public API of Barograph. Internal code never imports this file; other programs import nothing but it and the
 * subpaths of the package: `barograph/steps`, `barograph/semconv`, `barograph/postgres` and `barograph/prometheus`.
 */

// Steps: a wrapped function, whose calls become spans.
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

// Processor: delivers spans to a sink, independently of trace sampling.
export type { ExportReport, SpanSink } from '#exporters/export-report';
export { toSpanSink } from '#processor/span-exporter-sink';
export { recordingSampler } from '#processor/recording-sampler';
export { RecordingSpanProcessor } from '#processor/recording-span-processor';
export type { ProcessorCounters, RecordingSpanProcessorOptions } from '#processor/processor-options';
export type { DropReason, SpanBatch, SpanQueue } from '#processor/span-queue';

// Spool: a durable queue on disk in front of a sink, recovered after a crash.
export { adoptSpools, type Adopted, type AdoptionOptions } from '#spool/recovery/adopt-spools';
export { Spool, type SpoolOptions } from '#spool/spool';
export { claimFolder, type SpoolFolder } from '#spool/spool-folder';

// Translation: a span becomes a step fact.
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

// Exporters: facts become rows and metrics.
export { connectDatabase, type ConnectOptions } from './database/connect.ts';
export { migrate, type MigrationResult } from './database/migrate.ts';
export {
  createPostgresExporter,
  ForecastSpanExporter,
  type ForecastSpanExporterOptions,
} from '#postgres/exporter';
export type { Committed } from '#postgres/write-batch';
export {
  createPrometheusExporter,
  type CommittedBatch,
  type PrometheusExporter,
  type PrometheusExporterOptions,
} from '#prometheus/exporter';

// Composition root: the recording together with the pipeline.
export { readConfig, type Config } from './config.ts';
export type { Pipeline, PipelineStores, RunRequest } from './pipeline/index.ts';
export { startRecording, type Recording, type RecordingOptions } from './recorder/recording.ts';
export { startBarograph, type Barograph, type StartOptions } from './start.ts';
