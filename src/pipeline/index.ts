/** The pipeline: real steps on a job queue, resumable, each a span. */
export type { RunProgress } from './control/progress.ts';
export { requireForecastCycle } from './runs/forecast-cycle.ts';
export type { CreatedRun } from './runs/create-run.ts';
export { createPipeline, type Pipeline, type RunRequest } from './pipeline.ts';
export type { StepEnds } from './step/span-end-codec.ts';
export type { PipelineOptions, Recovery } from './pipeline-options.ts';
export type { StopReport } from './queue/worker-session.ts';
export {
  RETRY_POLICIES,
  retryDelaySeconds,
  type RetriedStep,
  type RetryPolicies,
  type RetryPolicy,
} from './step/retry-policy.ts';
export type { PipelineStores, StoreOfCycle, StoreSource } from './scores/cycle-stores.ts';
export type { GridStoreSource } from './scores/store-handle.ts';
export type { Clock } from './control/clock.ts';
export { truthDueTime, truthGiveUpTime } from './leads/truth-times.ts';
