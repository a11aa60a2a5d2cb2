import type { StepIdentity } from '#steps';
import type { RetriedStep } from './retry-policy.ts';
import type { LeadJob, MinerJob, RunJob } from './step-job.ts';

/** The identity of a step of a run; its span joins the trace of the run. */
export const runIdentity = ({ run, delivery }: RunJob): StepIdentity => ({
  validatorHotkey: run.validatorHotkey,
  runId: run.runId,
  initTime: run.initTime,
  expectedLeads: run.era5Leads.length,
  queueJobId: delivery.queueJobId,
  ...(run.rootTraceparent !== null && { traceparent: run.rootTraceparent }),
});

/** The identity of a step of a miner; its span joins the trace of that miner in that run. */
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

/** Attempt number and limit, with a span link to the attempt before. */
export const attemptIdentity = (
  step: RetriedStep,
  row: { readonly attempt: number; readonly attemptTraceparent: string | null },
  job: RunJob,
): StepIdentity => ({
  attempt: row.attempt,
  maxAttempts: job.parts.policies[step].maxAttempts,
  ...(row.attemptTraceparent !== null && { links: [row.attemptTraceparent] }),
});
