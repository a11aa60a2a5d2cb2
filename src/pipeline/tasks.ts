import { aggregateMiner, aggregateRun } from './steps/aggregate.ts';
import { loadLead } from './control/lead-row.ts';
import { loadMiner } from './control/miner-row.ts';
import { loadRun, type RunRow } from './control/run-row.ts';
import type { MinerState } from './control/transitions.ts';
import { scoreDay1 } from './steps/day1.ts';
import { scoreEra5 } from './steps/era5.ts';
import { downloadGfs } from './steps/gfs-download.ts';
import { orchestrate, recordGfsWait } from './steps/orchestrate.ts';
import { pollMiner } from './steps/poll.ts';
import { queryMiner } from './steps/query.ts';
import type { JobPayload, TaskName } from './queue/jobs.ts';
import type { JobDelivery, LeadJob, MinerJob, PipelineParts, RunJob, SharedParts } from './step/step-job.ts';
import { verifyMiner } from './steps/verify.ts';

/** A delivered job with its parts and payload. */
export interface DeliveredJob {
  readonly parts: SharedParts;
  readonly payload: JobPayload;
  readonly delivery: JobDelivery;
}

/**
 * The handler of each task. Jobs are idempotent: one whose row has a newer revision does nothing and makes no span, so a
 * second delivery changes nothing.
 */
export const TASK_HANDLERS: Readonly<Record<TaskName, (job: DeliveredJob) => Promise<void>>> = {
  orchestrate: (delivered) => forRun(delivered, orchestrate),
  gfs_download: (delivered) => forRun(delivered, fetchGfs),
  query: (delivered) => forMiner(delivered, 'querying', queryMiner),
  poll: (delivered) => forMiner(delivered, 'polling', pollMiner),
  verify: (delivered) => forMiner(delivered, 'verifying', verifyMiner),
  score_lead: scoreLead,
  aggregate_miner: (delivered) => forMiner(delivered, 'scoring', aggregateMiner),
  finish_run: (delivered) => forRun(delivered, finishRun),
};

/** Whether the job is for the current revision of its row. A job without a revision is for any. */
const isCurrent = (payload: JobPayload, row: { readonly revision: number }): boolean =>
  payload.revision === undefined || payload.revision === row.revision;

/** The parts with the stores of the run's cycle. */
const withRunStores = (parts: SharedParts, { initTime }: RunRow): PipelineParts => ({
  ...parts,
  stores: parts.storesOf(initTime),
});

/** Loads the run, and does the work when the job is for its current revision. */
async function forRun(delivered: DeliveredJob, work: (job: RunJob) => Promise<unknown>): Promise<void> {
  const { parts, payload, delivery } = delivered;
  const run = await loadRun(parts.pool, payload.runId);
  if (run !== null && isCurrent(payload, run))
    await work({ parts: withRunStores(parts, run), delivery, run });
}

/** Loads run and miner, and does the work when the miner is in the state and revision that the job expects. */
async function forMiner(
  { parts, payload, delivery }: DeliveredJob,
  state: MinerState,
  work: (job: MinerJob) => Promise<unknown>,
): Promise<void> {
  const run = await loadRun(parts.pool, payload.runId);
  const miner = await loadMiner(parts.pool, payload.runId, payload.minerUid ?? -1);
  if (run === null || miner?.state !== state || !isCurrent(payload, miner)) return;
  await work({ parts: withRunStores(parts, run), delivery, run, miner });
}

/** Downloads GFS; an attempt that is repeated is also recorded as a decision to wait. */
async function fetchGfs(job: RunJob): Promise<void> {
  const result = await downloadGfs(job);
  if (result.kind === 'retry' || result.kind === 'lock_busy') await recordGfsWait(job, result.nextRetryTime);
}

/** Scores a lead. The revision in the payload is that of the lead, not of the miner. */
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

/** Ends a run. Queued by its last miner, or by the orchestrator when no miner was left to await. */
async function finishRun(job: RunJob): Promise<void> {
  if (job.run.status !== 'awaiting_results') return;
  await aggregateRun(job);
  await orchestrate(job);
}
