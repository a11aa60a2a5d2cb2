import type { Pool } from 'pg';
import { readPipelineState } from '#postgres/queries/read-pipeline-state';
import type { PipelineState } from '#facts/pipeline-state';
import { messageOf } from '#semconv/message-of';
import { startUntracedTask } from './untraced-task.ts';

const EVERY_MILLIS = 5000;
/** Duty cycle: resting nine times as long as a read took, polling occupies its connection a tenth of the time. */
const REST_PER_READ = 9;
/** Upper bound of the rest; the metrics expire when they are not refreshed for a minute. */
const MAX_REST_MILLIS = 30_000;

/** How the state of the pipeline is polled while a process records. */
export interface PipelineStatePollerOptions {
  readonly pool: Pool;
  readonly show: (state: PipelineState) => void;
  /** 5,000 unless given. */
  readonly everyMillis?: number | undefined;
  /** Called for the first failure of a series; the next call needs a success in between. */
  readonly onProblem: (message: string) => void;
  /** A monotonic clock, milliseconds; that of this system unless given. */
  readonly monotonic?: () => number;
}

/**
 * Polls the state of the pipeline, now and every five seconds. Adaptive interval: slow reads, of many open runs or a
 * busy server, lengthen it.
 *
 * @returns the closer; it waits for a running read
 */
export function startPipelineStatePoller(options: PipelineStatePollerOptions): () => Promise<void> {
  const { pool, show, onProblem, everyMillis = EVERY_MILLIS, monotonic = () => performance.now() } = options;
  let hasWarned = false;
  let startedAt = 0;
  const rest = (): number =>
    Math.min(MAX_REST_MILLIS, Math.max(everyMillis, REST_PER_READ * (monotonic() - startedAt)));
  return startUntracedTask({
    everyMillis: rest,
    retryMillis: rest,
    work: async (signal) => {
      startedAt = monotonic();
      show(await readPipelineState(pool, { signal }));
      hasWarned = false;
    },
    onError: (error) => {
      if (hasWarned) return;
      hasWarned = true;
      onProblem(
        `The state of the pipeline could not be read: ${messageOf(error)}. ` +
          `Its metrics expire after a minute unless a retry succeeds.`,
      );
    },
  });
}
