import type { StepIdentity } from '#steps';
import type { RetriedStep } from './retry-policy.ts';
import type { LeadJob, MinerJob, RunJob } from './step-job.ts';

/** Who a step of a run belongs to: the trace of the run. */
export const runIdentity = ({ run, delivery }: RunJob): StepIdentity => ({
  validatorHotkey: run.validatorHotkey,
  runId: run.runId,
  initTime: run.initTime,
  expectedLeads: run.era5Leads.length,
  queueJobId: delivery.queueJobId,
  ...(run.rootTraceparent !== null && { traceparent: run.rootTraceparent }),
});

/** Who a step of a miner belongs to: the trace of that miner in that run. */
export const minerIdentity = (job: MinerJob): StepIdentity => ({
  ...runIdentity(job),
  minerUid: job.miner.uid,
  minerHotkey: job.miner.hotkey,
  ...(job.miner.rootTraceparent !== null && { traceparent: job.miner.rootTraceparent }),
});

/** Like {@link minerIdentity}, for one lead. */
export const leadIdentity = (job: LeadJob): StepIdentity => ({
  ...minerIdentity(job),
  leadHours: job.lead.leadHours,
});

/** Which attempt it is, and a link to the one before. */
export const attemptIdentity = (
  step: RetriedStep,
  row: { readonly attempt: number; readonly attemptTraceparent: string | null },
  job: RunJob,
): StepIdentity => ({
  attempt: row.attempt,
  maxAttempts: job.parts.policies[step].maxAttempts,
  ...(row.attemptTraceparent !== null && { links: [row.attemptTraceparent] }),
});
