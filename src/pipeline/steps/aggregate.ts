import type { Queryable } from '#database/transaction';
import { step, type StepDefinition, type StepOutcome } from '#steps';
import { withControlState } from '../control/control-state-error.ts';
import { countLeads, countMiners, type LeadCounts, type MinerCounts } from '../control/counts.ts';
import { loadLeads } from '../control/lead-row.ts';
import { moveMiner } from '../control/moves.ts';
import { type ForecastSummary, summarizeForecast } from '../leads/forecast-summary.ts';
import { responseStatusWithout } from '../leads/lead-findings.ts';
import { toDecisionEvent } from '../runs/run-decision.ts';
import { commitStep } from '../step/commit-step.ts';
import { failedOutcome, retryOutcome, supersededOutcome } from '../step/common-outcomes.ts';
import { commitFailure, commitRetry, finishRunIfLast } from '../step/miner-commits.ts';
import { attemptIdentity, minerIdentity, runIdentity } from '../step/step-identity.ts';
import type { MinerJob, RunJob } from '../step/step-job.ts';
import { toFailure, withRetryPolicy } from '../step/step-policy.ts';
import type { Failed, Retry, Superseded } from '../step/step-result.ts';

/** All leads of the miner have an end. */
export interface Aggregated {
  readonly kind: 'aggregated';
  readonly summary: ForecastSummary;
}
export type AggregateMinerResult = Aggregated | Retry | Failed | Superseded;

/** Closing the forecast of one miner. */
export const aggregateMinerDefinition: StepDefinition<[MinerJob], Promise<AggregateMinerResult>> = {
  name: 'aggregate',
  substep: 'miner_scores',
  identity: (job) => ({ ...minerIdentity(job), ...attemptIdentity('aggregate', job.miner, job) }),
  outcome: (result) => {
    switch (result.kind) {
      case 'aggregated':
        return aggregatedOutcome(result.summary);
      case 'retry':
        return retryOutcome(result);
      case 'failed':
        return failedOutcome(result, {
          stage: 'complete',
          attributes: {
            'weather.forecast.status': 'failed',
            'weather.response.status': 'era5_scoring_failed',
          },
        });
      case 'superseded':
        return supersededOutcome(result);
    }
  },
};

/** A forecast without any ERA5 score has failed, although its aggregation succeeded. */
const aggregatedOutcome = (summary: ForecastSummary): StepOutcome => ({
  status: 'succeeded',
  stage: 'complete',
  stageStatus: summary.isCompleted ? 'completed' : 'failed',
  attributes: {
    'weather.forecast.status': summary.isCompleted ? 'completed' : 'failed',
    'weather.response.status': summary.isCompleted ? null : responseStatusWithout(summary.era5Failure),
    'weather.score.reason': summary.missing.length === 0 ? null : summary.missing.join('; '),
  },
  context: {
    is_completed: summary.isCompleted,
    expected_leads: summary.expectedLeads,
    scored_leads: summary.scoredLeads,
    completeness: summary.completeness,
    day1_score: summary.day1Score,
    combined_score: summary.combinedScore,
    overall_score: summary.overallScore,
    missing: summary.missing,
  },
});

/** The miners and leads of a run, counted by state. */
export interface RunAggregated {
  readonly miners: MinerCounts;
  readonly leads: LeadCounts;
}

/** Summing up a run, once all its miners have an end. */
const aggregateRunDefinition: StepDefinition<[RunJob], Promise<RunAggregated>> = {
  name: 'aggregate',
  substep: 'run_scores',
  identity: runIdentity,
  outcome: ({ miners, leads }) => ({
    status: 'succeeded',
    events: [toDecisionEvent({ decision: 'aggregate_run', reason: reasonFor(miners), level: 'INFO' })],
    context: { miners, leads },
  }),
};

const reasonFor = ({ completed, failed }: MinerCounts): string =>
  `every miner has ended, ${completed} completed and ${failed} failed; their scores are summed up`;

/** Closes the forecast of a miner whose leads all have an end. */
export const aggregateMiner = step(
  aggregateMinerDefinition,
  async (job: MinerJob): Promise<AggregateMinerResult> => {
    const { parts, delivery, miner } = job;
    const underway = { parts, delivery, step: 'aggregate', attempt: miner.attempt } as const;
    const result = await withRetryPolicy(underway, () => aggregate(job));
    return commitStep<AggregateMinerResult>(job, result, (client, outcome) => commit(client, job, outcome));
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

/** Commits the end of a forecast: failed without any scored lead. The last miner to end also ends the run. */
async function commitEnd(client: Queryable, job: MinerJob, { summary }: Aggregated): Promise<boolean> {
  const end = summary.isCompleted
    ? ({ to: 'completed' } as const)
    : ({ to: 'failed', failedStep: 'era5', failure: await firstFailure(client, job) } as const);
  if (!(await moveMiner(client, job.miner, end))) return false;
  await finishRunIfLast(client, job);
  return true;
}

/** The failure of a forecast without any score: that of its first ERA5 lead. */
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
