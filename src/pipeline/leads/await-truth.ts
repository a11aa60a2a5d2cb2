import type { GridStore } from '#grids';
import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { classifyError } from '#steps';
import type { StoreHandle } from '../scores/store-handle.ts';
import type { LeadJob } from '../step/step-job.ts';
import { afterSeconds } from '../step/step-policy.ts';
import type { WaitingForTruth } from '../step/step-result.ts';
import { scaleDelay, TRUTH_POLL_SECONDS, truthGiveUpTime, validTimeOf } from './truth-times.ts';

/** The truth of a lead, or the wait for it. */
export type TruthFound = { readonly kind: 'present'; readonly store: GridStore } | WaitingForTruth;

/**
 * Looks for the truth of a lead. Before it is due nothing is read; after that the store is polled every hour of
 * production. A store that cannot be read counts as truth that is not there yet.
 *
 * @throws CategorizedError `truth_missing` when it is given up, 30 days after the valid time
 */
export async function findTruth(job: LeadJob, truth: StoreHandle, dueTime: Date): Promise<TruthFound> {
  const { parts, run, lead } = job;
  const due = scaleDelay(dueTime, run.initiatedAt, parts.delayFactor);
  if (parts.clock.now() < due) {
    const reason = `truth is due at ${dueTime.toISOString()}`;
    return { kind: 'waiting_for_truth', nextRetryTime: due, dueTime, reason };
  }
  const validTime = validTimeOf(run.initTime, lead.leadHours);
  try {
    const store = await truth.openWithTime(validTime);
    if (store !== null) return { kind: 'present', store };
  } catch (error) {
    return waitLonger(job, dueTime, { reason: messageOf(error), cause: error });
  }
  const reason = `the ${truth.name} store does not have ${validTime.toISOString()} yet`;
  return waitLonger(job, dueTime, { reason });
}

/** Why truth is waited for; `cause` is the error of a store that cannot be read. */
interface Waiting {
  readonly reason: string;
  readonly cause?: unknown;
}

/** Waits another hour of production. @throws CategorizedError `truth_missing` after the time to give up */
function waitLonger(job: LeadJob, dueTime: Date, { reason, cause }: Waiting): WaitingForTruth {
  const { parts, run, lead } = job;
  const giveUp = truthGiveUpTime(run.initTime, lead.leadHours);
  if (parts.clock.now() >= scaleDelay(giveUp, run.initiatedAt, parts.delayFactor)) {
    throw new CategorizedError(
      'truth_missing',
      `Truth for lead ${lead.leadHours} h was given up: ${reason}, and the limit was ${giveUp.toISOString()}.`,
      { cause },
    );
  }
  return {
    kind: 'waiting_for_truth',
    nextRetryTime: afterSeconds(parts, TRUTH_POLL_SECONDS),
    dueTime,
    reason,
  };
}

/**
 * Does the scoring, and turns an outage of the validator's own stores into a wait: no miner is at fault, so it uses up
 * no attempt.
 *
 * @throws every other error of the scoring; `truth_missing` after the time to give up
 */
export async function waitOnTruthOutage<Done>(
  job: LeadJob,
  dueTime: Date,
  score: () => Promise<Done>,
): Promise<Done | WaitingForTruth> {
  try {
    return await score();
  } catch (error) {
    if (classifyError(error) !== 'truth_not_ready') throw error;
    return waitLonger(job, dueTime, { reason: messageOf(error), cause: error });
  }
}
