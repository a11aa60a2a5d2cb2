import type { Pool } from 'pg';
import { readPipelineState } from '#postgres/queries/read-pipeline-state';
import type { PipelineState } from '#facts/pipeline-state';
import { startIntervalTask } from '#lifecycle/interval-task';
import { messageOf } from '#semconv/message-of';

const EVERY_MILLIS = 5000;
/** Resting this many times as long as it worked, a reading takes at most a tenth of the time of its connection. */
const REST_PER_WORK = 9;
/** But never so long that the metrics would go in between. */
const MAX_REST_MILLIS = 30_000;

/** How the state of the pipeline is read while a process records. */
export interface StateReadingOptions {
  readonly pool: Pool;
  readonly show: (state: PipelineState) => void;
  /** 5,000 unless given. */
  readonly everyMillis?: number | undefined;
  /** Hears once that the state cannot be read, and again only after it could be read in between. */
  readonly onProblem: (message: string) => void;
  /** A clock that never goes back, milliseconds; that of this system unless given. */
  readonly monotonic?: () => number;
}

/**
 * Reads the state of the pipeline from the tables, now and every five seconds; less often where that takes long, for
 * many runs are open or the server is busy.
 *
 * @returns the closer; reading that is under way ends first
 */
export function startStateReading(options: StateReadingOptions): () => Promise<void> {
  const { pool, show, onProblem, everyMillis = EVERY_MILLIS, monotonic = () => performance.now() } = options;
  let isTold = false;
  let startedAt = 0;
  const rest = (): number =>
    Math.min(MAX_REST_MILLIS, Math.max(everyMillis, REST_PER_WORK * (monotonic() - startedAt)));
  return startIntervalTask({
    everyMillis: rest,
    retryMillis: rest,
    work: async (signal) => {
      startedAt = monotonic();
      show(await readPipelineState(pool, { signal }));
      isTold = false;
    },
    onError: (error) => {
      if (isTold) return;
      isTold = true;
      onProblem(
        `The state of the pipeline could not be read, and its metrics go after a minute: ` +
          `${messageOf(error)}. It is tried again until it can be.`,
      );
    },
  });
}
