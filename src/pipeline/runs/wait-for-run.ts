import { setTimeout as sleep } from 'node:timers/promises';
import type { RunProgress } from '../control/progress.ts';

/** How often a run is looked at, milliseconds: often at first, then ever less. */
const CHECK_MILLIS = { least: 20, most: 2000 };
const GROWTH = 1.5;

/**
 * Resolves when a run is over. A database that is gone meanwhile is waited for, as the pipeline does.
 *
 * @param look null when the pipeline was stopped meanwhile
 * @throws Error when the pipeline was stopped before the run was over, RangeError when there is no such run
 */
export async function waitForRun(look: () => Promise<RunProgress> | null): Promise<void> {
  for (let millis = CHECK_MILLIS.least; ; millis = Math.min(millis * GROWTH, CHECK_MILLIS.most)) {
    const looking = look();
    if (looking === null) {
      throw new Error('The pipeline was stopped before the run was over; start one again and it goes on.');
    }
    if (await isFinished(looking)) return;
    await sleep(millis);
  }
}

async function isFinished(looking: Promise<RunProgress>): Promise<boolean> {
  try {
    return (await looking).isFinished;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return false;
  }
}
