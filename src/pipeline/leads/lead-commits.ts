import { currentTraceparent } from '#steps';
import type { Queryable } from '#database/transaction';
import type { LeadKey } from '../control/lead-row.ts';
import { countOpenLeads } from '../control/locks.ts';
import { moveLead } from '../control/moves.ts';
import type { LeadFindings } from './lead-findings.ts';
import { addJobs, type QueuedJob } from '../queue/jobs.ts';
import { toFailure } from '../step/step-policy.ts';
import type { LeadJob } from '../step/step-job.ts';
import type { Failed, Retry, WaitingForTruth } from '../step/step-result.ts';

/** The job that scores a lead at the given revision. */
export const scoreLeadJob = (
  { runId, minerUid, scoreType, leadHours, revision }: LeadKey & { readonly revision: number },
  runAt: Date,
): QueuedJob => ({
  task: 'score_lead',
  payload: { runId, minerUid, scoreType, leadHours, revision },
  runAt,
});

/** The result of scoring a lead. */
export type LeadEnd = { readonly kind: 'scored'; readonly score: number } | Retry | Failed | WaitingForTruth;

/** Commits the transition of a lead: another attempt, more waiting, or its end. */
export async function commitLead(
  client: Queryable,
  job: LeadJob,
  { end, findings }: { readonly end: LeadEnd; readonly findings: LeadFindings },
): Promise<boolean> {
  switch (end.kind) {
    case 'retry':
      return commitNext(client, job, { to: 'due', attempt: job.lead.attempt + 1, nextAt: end.nextRetryTime });
    case 'waiting_for_truth':
      return commitNext(client, job, {
        to: 'waiting_for_truth',
        attempt: job.lead.attempt,
        nextAt: end.nextRetryTime,
      });
    case 'scored':
      if (!(await moveLead(client, job.lead, { to: 'scored', score: end.score }))) return false;
      break;
    case 'failed':
      if (!(await moveLead(client, job.lead, { to: 'failed', failure: toFailure(end.error) }))) return false;
      break;
  }
  findings.remainingLeads = await commitWhatFollows(client, job);
  return true;
}

/** The next job of a lead: its state, attempt and time. */
interface NextVisit {
  readonly to: 'due' | 'waiting_for_truth';
  readonly attempt: number;
  readonly nextAt: Date;
}

async function commitNext(client: Queryable, { lead }: LeadJob, visit: NextVisit): Promise<boolean> {
  const attemptTraceparent = currentTraceparent() ?? null;
  if (!(await moveLead(client, lead, { ...visit, attemptTraceparent }))) return false;
  await addJobs(client, [scoreLeadJob({ ...lead, revision: lead.revision + 1 }, visit.nextAt)]);
  return true;
}

/**
 * Queues the jobs that a lead's end releases: all ERA5 leads after day one, the aggregation after the last lead.
 *
 * @returns how many leads of the forecast have not ended
 */
async function commitWhatFollows(client: Queryable, { lead, parts }: LeadJob): Promise<number> {
  const now = parts.clock.now();
  const { runId, minerUid } = lead;
  if (lead.scoreType === 'day1') {
    const released = await releaseEra5Leads(client, lead, now);
    await addJobs(
      client,
      released.map((next) => scoreLeadJob(next, now)),
    );
  }
  const { open, revision } = await countOpenLeads(client, lead);
  if (open === 0) {
    await addJobs(client, [{ task: 'aggregate_miner', payload: { runId, minerUid, revision }, runAt: now }]);
  }
  return open;
}

/** Makes the pending ERA5 leads due, once. Each then decides for itself how long it waits for truth. */
async function releaseEra5Leads(
  client: Queryable,
  { runId, minerUid }: LeadKey,
  now: Date,
): Promise<(LeadKey & { readonly revision: number })[]> {
  const { rows } = await client.query<{ leadHours: number; revision: number }>(
    `update pipeline.leads set state = 'due', revision = revision + 1, next_at = $3
     where run_id = $1 and miner_uid = $2 and score_type = 'era5' and state = 'pending'
     returning lead_hours as "leadHours", revision`,
    [runId, minerUid, now],
  );
  return rows.map((row) => ({ runId, minerUid, scoreType: 'era5', ...row }));
}
