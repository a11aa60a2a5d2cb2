import { setTimeout as sleep } from 'node:timers/promises';
import type { RunProgress } from '../control/progress.ts';
import { isError } from '#semconv/message-of';

/** Bounds of the poll interval, milliseconds; it grows exponentially between them. */
const CHECK_MILLIS = { least: 20, most: 2000 };
const GROWTH = 1.5;

/**
 * Polls a run until it is over. Errors of the database are ignored and the poll repeated, since the pipeline outlasts an
 * outage too.
 *
 * @param look reads the progress; null when the pipeline was stopped
 * @throws Error when the pipeline was stopped before the run was over, RangeError when there is no such run
 */
export async function waitForRun(look: () => Promise<RunProgress> | null): Promise<void> {
  for (let millis = CHECK_MILLIS.least; ; millis = Math.min(millis * GROWTH, CHECK_MILLIS.most)) {
    const looking = look();
    if (looking === null) {
      throw new Error('The pipeline was stopped before the run was over; start it again to continue.');
    }
    if (await isFinished(looking)) return;
    await sleep(millis);
  }
}

async function isFinished(looking: Promise<RunProgress>): Promise<boolean> {
  try {
    return (await looking).isFinished;
  } catch (error) {
    if (isError(error) && error.name === 'RangeError') throw error;
    return false;
  }
}
