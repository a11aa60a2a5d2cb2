import { aggregateMiner, aggregateRun } from './aggregate.ts';
import { countMiners } from './control/counts.ts';
import { loadLead } from './control/lead-row.ts';
import { loadMiner } from './control/miner-row.ts';
import { loadRun } from './control/run-row.ts';
import { isTerminal, MINER_STATES, MINER_TRANSITIONS, type MinerState } from './control/transitions.ts';
import { scoreDay1 } from './day1.ts';
import { scoreEra5 } from './era5.ts';
import { downloadGfs } from './gfs-download.ts';
import { countRemainingLeads } from './lead-commits.ts';
import { orchestrate, recordGfsWait } from './orchestrate.ts';
import { pollMiner } from './poll.ts';
import { queryMiner } from './query.ts';
import type { JobPayload, TaskName } from './queue/jobs.ts';
import type { Delivery, LeadJob, MinerJob, PipelineParts, RunJob } from './step-job.ts';
import { verifyMiner } from './verify.ts';

/** What a delivered job is about. */
export interface DeliveredJob {
  readonly parts: PipelineParts;
  readonly payload: JobPayload;
  readonly delivery: Delivery;
}

/**
 * What each task of the queue does. A job whose row has moved on since it was queued does nothing and makes no span:
 * that is how a job that is delivered twice changes nothing.
 */
export const TASK_HANDLERS: Readonly<Record<TaskName, (job: DeliveredJob) => Promise<void>>> = {
  orchestrate: (delivered) => forRun(delivered, orchestrate),
  gfs_download: (delivered) => forRun(delivered, fetchGfs),
  query: (delivered) => forMiner(delivered, 'querying', queryMiner),
  poll: (delivered) => forMiner(delivered, 'polling', pollMiner),
  verify: (delivered) => forMiner(delivered, 'verifying', verifyMiner),
  score_lead: scoreLead,
  aggregate_miner: (delivered) => forMiner(delivered, 'scoring', closeForecast),
  finish_run: finishRun,
};

/** A job without a revision is for whatever revision there is. */
const isCurrent = (payload: JobPayload, row: { readonly revision: number }): boolean =>
  payload.revision === undefined || payload.revision === row.revision;

async function forRun(delivered: DeliveredJob, work: (job: RunJob) => Promise<unknown>): Promise<void> {
  const { parts, payload, delivery } = delivered;
  const run = await loadRun(parts.pool, payload.runId);
  if (run !== null && isCurrent(payload, run)) await work({ parts, delivery, run });
}

async function forMiner(
  { parts, payload, delivery }: DeliveredJob,
  state: MinerState,
  work: (job: MinerJob) => Promise<unknown>,
): Promise<void> {
  const run = await loadRun(parts.pool, payload.runId);
  const miner = await loadMiner(parts.pool, payload.runId, payload.minerUid ?? -1);
  if (run === null || miner?.state !== state || !isCurrent(payload, miner)) return;
  await work({ parts, delivery, run, miner });
}

async function fetchGfs(job: RunJob): Promise<void> {
  const result = await downloadGfs(job);
  if (result.kind === 'retry' || result.kind === 'lock_busy') await recordGfsWait(job, result.nextRetryTime);
}

async function scoreLead(delivered: DeliveredJob): Promise<void> {
  const { parts, payload } = delivered;
  const { runId, minerUid, scoreType, leadHours } = payload;
  if (minerUid === undefined || scoreType === undefined || leadHours === undefined) return;
  const lead = await loadLead(parts.pool, { runId, minerUid, scoreType, leadHours });
  if (lead === null || !isCurrent(payload, lead)) return;
  await forMiner({ ...delivered, payload: { runId, minerUid } }, 'scoring', async (job) => {
    const leadJob: LeadJob = { ...job, lead };
    await (scoreType === 'day1' ? scoreDay1(leadJob) : scoreEra5(leadJob));
  });
}

async function closeForecast(job: MinerJob): Promise<void> {
  const { parts, run, miner } = job;
  const remaining = await countRemainingLeads(parts.pool, { runId: run.runId, minerUid: miner.uid });
  if (remaining === 0) await aggregateMiner(job);
}

async function finishRun({ parts, payload, delivery }: DeliveredJob): Promise<void> {
  const run = await loadRun(parts.pool, payload.runId);
  if (run?.status !== 'awaiting_results') return;
  const miners = await countMiners(parts.pool, run.runId);
  const open = MINER_STATES.filter((state) => !isTerminal(MINER_TRANSITIONS, state) && miners[state] > 0);
  if (open.length > 0) return;
  const job: RunJob = { parts, delivery, run };
  await aggregateRun(job);
  await orchestrate(job);
}
