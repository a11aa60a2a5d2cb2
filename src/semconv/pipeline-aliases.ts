import type { AttributeName } from './attributes.ts';
import type { RunStatus, StepStatus } from './vocabulary.ts';

/** A name of OpenTelemetry's conventions for pipelines, and our attribute of the same meaning. */
export interface PipelineAlias {
  /** As `cicd.pipeline.*` and `cicd.worker.*` name it. */
  readonly convention: string;
  /** Our attribute; null when there is none. */
  readonly attribute: AttributeName | 'service.instance.id' | null;
  readonly brief: string;
}

/**
 * Aliases for tools of the `cicd.*` conventions: a Collector can rename by this table. No span carries them, as they
 * are made for builds and still experimental.
 */
export const PIPELINE_ALIASES: readonly PipelineAlias[] = [
  { convention: 'cicd.pipeline.run.id', attribute: 'weather.run.id', brief: 'One forecast cycle' },
  {
    convention: 'cicd.pipeline.result',
    attribute: 'weather.run.status',
    brief: 'How it ended; values below',
  },
  { convention: 'cicd.pipeline.task.name', attribute: 'weather.step.name', brief: 'The step' },
  {
    convention: 'cicd.pipeline.task.run.id',
    attribute: null,
    brief: 'The id of the span: each attempt is one',
  },
  {
    convention: 'cicd.pipeline.task.run.result',
    attribute: 'weather.step.status',
    brief: 'How it ended; values below',
  },
  { convention: 'cicd.worker.id', attribute: 'service.instance.id', brief: 'The process, of the resource' },
];

/** Results as the conventions name them. */
export type PipelineResult = 'success' | 'failure' | 'error' | 'timeout' | 'cancellation' | 'skip';

/** The result of a step status; null while the step runs. */
export const RESULT_OF_STEP: Readonly<Record<StepStatus, PipelineResult | null>> = {
  in_progress: null,
  succeeded: 'success',
  failed: 'failure',
  retry_scheduled: 'failure',
  waiting_for_truth: 'skip',
  abandoned: 'cancellation',
};

/** The result of a run status; null while the run is open. */
export const RESULT_OF_RUN: Readonly<Record<RunStatus, PipelineResult | null>> = {
  created: null,
  seeding: null,
  gfs_ready: null,
  querying_miners: null,
  awaiting_results: null,
  completed: 'success',
  failed: 'failure',
  all_miners_failed: 'failure',
  stale_abandoned: 'cancellation',
};
