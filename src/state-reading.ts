import type { Pool } from 'pg';
import { readPipelineState } from '../exporters/postgres/read-pipeline-state.ts';
import type { PipelineState } from './facts/pipeline-state.ts';
import { startRepeatedWork } from './repeated-work.ts';

const EVERY_MILLIS = 5000;

/** How the state of the pipeline is read while a process records. */
export interface StateReadingOptions {
  readonly pool: Pool;
  readonly show: (state: PipelineState) => void;
  /** Hears once that the state cannot be read, and again only after it could be read in between. */
  readonly onProblem: (message: string) => void;
}

/**
 * Reads the state of the pipeline from the tables, now and every five seconds.
 *
 * @returns the closer; reading that is under way ends first
 */
export function startStateReading({ pool, show, onProblem }: StateReadingOptions): () => Promise<void> {
  let isTold = false;
  return startRepeatedWork({
    everyMillis: EVERY_MILLIS,
    retryMillis: EVERY_MILLIS,
    work: async (signal) => {
      show(await readPipelineState(pool, { signal }));
      isTold = false;
    },
    onError: (error) => {
      if (isTold) return;
      isTold = true;
      onProblem(
        `The state of the pipeline could not be read, and its metrics go after a minute: ` +
          `${error instanceof Error ? error.message : String(error)}. It is tried again every 5 seconds.`,
      );
    },
  });
}
