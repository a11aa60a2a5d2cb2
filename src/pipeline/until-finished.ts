import { setTimeout as sleep } from 'node:timers/promises';
import type { RunProgress } from './control/progress.ts';

/** How often a run is looked at, milliseconds: often at first, then ever less. */
const CHECK_MILLIS = { least: 20, most: 2000 };
const GROWTH = 1.5;

/**
 * Resolves when a run is over.
 *
 * @param look null when the pipeline was stopped meanwhile
 * @throws Error when the pipeline was stopped before the run was over
 */
export async function untilFinished(look: () => Promise<RunProgress> | null): Promise<void> {
  for (let millis = CHECK_MILLIS.least; ; millis = Math.min(millis * GROWTH, CHECK_MILLIS.most)) {
    const progress = await look();
    if (progress === null) {
      throw new Error('The pipeline was stopped before the run was over; start one again and it goes on.');
    }
    if (progress.isFinished) return;
    await sleep(millis);
  }
}
