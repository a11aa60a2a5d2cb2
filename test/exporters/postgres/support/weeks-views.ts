import { expectedForecast, openRuns, runEnd, waitingForTruth, waitingLeads } from './weeks-model.ts';
import { LEADS, MINERS, truthDue, type PlannedRun } from './weeks-plan.ts';

/** The row of `run_progress`. */
export function progressOf(run: PlannedRun, at: number) {
  const rows = MINERS.map((miner) => expectedForecast(run, miner, at));
  const next = rows.flatMap((row) => (row.next === null ? [] : [row.next]));
  const count = (status: string): number => rows.filter((row) => row.status === status).length;
  return {
    run: run.id,
    status: runEnd(run, at)?.status ?? (run.hasGfs ? 'awaiting_results' : 'seeding'),
    completed: count('completed'),
    failed: count('failed'),
    inFlight: MINERS.length - count('completed') - count('failed'),
    waiting: next.length,
    scored: rows.reduce((sum, { scoredLeads }) => sum + scoredLeads, 0),
    next: next.length === 0 ? null : Math.min(...next),
  };
}

/** The steps of an open run that are tried again: what `scheduled_retries` and `stuck_steps` count. */
export function retriesOf(run: PlannedRun, at: number) {
  const leads = waitingForTruth(run, at) * waitingLeads(run, at).length;
  if (leads > 0) return [{ run: run.id, step: 'era5', steps: leads, isWait: true }];
  const steps = MINERS.filter((miner) =>
    expectedForecast(run, miner, at).position.endsWith('waiting_retry'),
  ).length;
  if (!run.hasGfs) return [{ run: run.id, step: 'seed', steps: 1, isWait: false }];
  return steps === 0 ? [] : [{ run: run.id, step: 'query', steps, isWait: false }];
}

/** The rows of `missing_scores`, counted by forecast; a lead that waits has no reason yet. */
export const missingScoresOf = (run: PlannedRun, at: number) =>
  MINERS.flatMap((miner) => {
    const { position, scoredLeads, error } = expectedForecast(run, miner, at);
    const waiting = position.endsWith('waiting_for_truth') ? waitingLeads(run, at).length : 0;
    const hasDay1 = scoredLeads > 0 || waiting > 0;
    const missing = LEADS.length - scoredLeads + (hasDay1 ? 0 : 1);
    const reasons = missing > waiting ? [error] : null;
    return missing === 0 ? [] : [{ run: run.id, miner: miner.uid, missing, waiting, reasons }];
  });

/** The leads of an open run that wait, and the earliest due time of their truth, microseconds. */
export function truthWaitOf(run: PlannedRun, at: number) {
  const leads = waitingForTruth(run, at) * waitingLeads(run, at).length;
  const due = waitingLeads(run, at).map(({ lead }) => truthDue(run, lead) * 1000);
  return { run: run.id, leads, due: leads === 0 ? null : Math.min(...due) };
}

/** The retries by step; none is ever overdue. */
export function retriesByStep(at: number) {
  const retries: Record<string, { scheduled: number; overdue: number; oldestDue: null }> = {};
  for (const { step, steps, isWait } of openRuns(at).flatMap((run) => retriesOf(run, at)))
    if (!isWait)
      retries[step] = { scheduled: (retries[step]?.scheduled ?? 0) + steps, overdue: 0, oldestDue: null };
  return retries;
}
