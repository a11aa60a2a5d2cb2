import { loadLatestRun } from './control/run-row.ts';
import { createRunUnless, type CreatedRun, type RequestedRun } from './create-run.ts';
import type { SharedParts } from './step-job.ts';

/**
 * Creates a run and starts it, unless the validator has had one for the cycle, under way or over: what a schedule asks
 * for, however often and from however many processes.
 */
export const ensureRun = (parts: SharedParts, request: RequestedRun): Promise<CreatedRun> =>
  createRunUnless(parts, request, loadLatestRun);
