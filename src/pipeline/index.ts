/** The pipeline: real steps on a job queue, resumable, each a span. */
export type { RunProgress } from './control/progress.ts';
export { requireForecastCycle } from './runs/forecast-cycle.ts';
export { createPipeline, type Pipeline, type RunRequest } from './pipeline.ts';
export type { SpanEndCodec } from './step/span-end-codec.ts';
export type { Recovery } from './pipeline-options.ts';
export type { StopReport } from './queue/worker-session.ts';
export type { PipelineStores, StoreSource } from './scores/cycle-stores.ts';
