import { step } from '#steps';
import {
  aggregateMinerDefinition,
  aggregateRunDefinition,
  type AggregateMinerResult,
  type Aggregated,
  type RunAggregated,
} from './aggregate-definition.ts';
import { withControlState } from './control/control-state-error.ts';
import { countLeads, countMiners } from './control/counts.ts';
import type { Queryable } from '#database/transaction';
import { loadLeads } from './control/lead-row.ts';
import { moveMiner } from './control/moves.ts';
import { summarizeForecast } from './leads/forecast-summary.ts';
import { commitFailure, commitRetry, finishRunIfLast } from './step/miner-commits.ts';
import { settle } from './step/commit-step.ts';
import type { MinerJob, RunJob } from './step/step-job.ts';
import { toFailure, underPolicy } from './step/step-policy.ts';

/** Closes the forecast of a miner whose leads all have an end. */
export const aggregateMiner = step(
  aggregateMinerDefinition,
  async (job: MinerJob): Promise<AggregateMinerResult> => {
    const { parts, delivery, miner } = job;
    const underway = { parts, delivery, step: 'aggregate', attempt: miner.attempt } as const;
    const result = await underPolicy(underway, () => aggregate(job));
    return settle<AggregateMinerResult>(job, result, (client, settled) => commit(client, job, settled));
  },
);

async function aggregate({ parts, run, miner }: MinerJob): Promise<Aggregated> {
  const leads = await withControlState(() => loadLeads(parts.pool, run.runId, miner.uid));
  return { kind: 'aggregated', summary: summarizeForecast(leads, run.era5Leads.length) };
}

async function commit(client: Queryable, job: MinerJob, result: AggregateMinerResult): Promise<boolean> {
  switch (result.kind) {
    case 'aggregated':
      return commitEnd(client, job, result);
    case 'retry':
      return commitRetry(client, job, { task: 'aggregate_miner', nextRetryTime: result.nextRetryTime });
    case 'failed':
      return commitFailure(client, job, { step: 'aggregate', failed: result });
    case 'superseded':
      return false;
  }
}

/** A forecast without any scored lead is a failed one; the last miner to end also ends the run. */
async function commitEnd(client: Queryable, job: MinerJob, { summary }: Aggregated): Promise<boolean> {
  const end = summary.isCompleted
    ? ({ to: 'completed' } as const)
    : ({ to: 'failed', failedStep: 'era5', failure: await firstFailure(client, job) } as const);
  if (!(await moveMiner(client, job.miner, end))) return false;
  await finishRunIfLast(client, job);
  return true;
}

/** Why a forecast has no score at all: the reason of its first ERA5 lead. */
async function firstFailure(client: Queryable, { run, miner }: MinerJob) {
  const leads = await loadLeads(client, run.runId, miner.uid);
  const lead = leads.find(({ scoreType }) => scoreType === 'era5');
  if (lead?.failureCategory == null) return toFailure(new Error('no lead has a score'));
  return { category: lead.failureCategory, message: lead.failureMessage ?? '' };
}

/** Sums up a run whose miners all have an end. */
export const aggregateRun = step(aggregateRunDefinition, ({ parts, run }: RunJob): Promise<RunAggregated> =>
  withControlState(async () => ({
    miners: await countMiners(parts.pool, run.runId),
    leads: await countLeads(parts.pool, run.runId),
  })),
);
