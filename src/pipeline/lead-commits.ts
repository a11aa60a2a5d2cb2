import { currentTraceparent } from '../steps/index.ts';
import type { Queryable } from './control/in-transaction.ts';
import type { LeadKey } from './control/lead-row.ts';
import { moveLead } from './control/moves.ts';
import { addJobs, type QueuedJob } from './queue/jobs.ts';
import { toFailure } from './step-policy.ts';
import type { LeadJob } from './step-job.ts';
import type { Failed, Retry, WaitingForTruth } from './step-result.ts';

/** The job that scores a lead, at the revision that the lead then has. */
export const scoreLeadJob = (
  { runId, minerUid, scoreType, leadHours, revision }: LeadKey & { readonly revision: number },
  runAt: Date,
): QueuedJob => ({
  task: 'score_lead',
  payload: { runId, minerUid, scoreType, leadHours, revision },
  runAt,
});

/** What the scoring of a lead came to. */
export type LeadEnd = { readonly kind: 'scored'; readonly score: number } | Retry | Failed | WaitingForTruth;

/** Commits the transition of a lead: another attempt, more waiting, or its end. */
export async function commitLead(client: Queryable, job: LeadJob, end: LeadEnd): Promise<boolean> {
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
  await commitWhatFollows(client, job);
  return true;
}

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

/** After day one all ERA5 leads are due, each with a job of its own; after any lead, the forecast may be complete. */
async function commitWhatFollows(client: Queryable, { lead, parts }: LeadJob): Promise<void> {
  const now = parts.clock.now();
  const { runId, minerUid } = lead;
  if (lead.scoreType === 'day1') {
    const released = await releaseEra5Leads(client, lead, now);
    await addJobs(
      client,
      released.map((next) => scoreLeadJob(next, now)),
    );
  }
  await addJobs(client, [{ task: 'aggregate_miner', payload: { runId, minerUid }, runAt: now }]);
}

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

/** Leads of the forecast that have no end yet, as far as this transaction sees. */
export async function countRemainingLeads(
  client: Queryable,
  { runId, minerUid }: Pick<LeadKey, 'runId' | 'minerUid'>,
): Promise<number> {
  const { rows } = await client.query<{ remaining: number }>(
    `select count(*)::int as remaining from pipeline.leads
     where run_id = $1 and miner_uid = $2 and state not in ('scored', 'failed')`,
    [runId, minerUid],
  );
  return rows[0]?.remaining ?? 0;
}
