import type { StepDefinition, StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome } from './step/common-outcomes.ts';
import type { LeadCounts, MinerCounts } from './control/counts.ts';
import { attemptIdentity, minerIdentity, runIdentity } from './step/step-identity.ts';
import type { MinerJob, RunJob } from './step/step-job.ts';
import type { Failed, Retry, Superseded } from './step/step-result.ts';
import type { ForecastSummary } from './leads/forecast-summary.ts';

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
          attributes: { 'weather.forecast.status': 'failed' },
        });
      case 'superseded':
        return supersededOutcome(result);
    }
  },
};

/** A forecast without a single score is a failed one, though its aggregation succeeded. */
const aggregatedOutcome = (summary: ForecastSummary): StepOutcome => ({
  status: 'succeeded',
  stage: 'complete',
  stageStatus: summary.isCompleted ? 'completed' : 'failed',
  attributes: {
    'weather.forecast.status': summary.isCompleted ? 'completed' : 'failed',
    'weather.score.reason': summary.missing.length === 0 ? null : summary.missing.join('; '),
  },
  context: { ...summary },
});

/** The run in numbers. */
export interface RunAggregated {
  readonly miners: MinerCounts;
  readonly leads: LeadCounts;
}

/** Summing up a run, once all its miners have an end. */
export const aggregateRunDefinition: StepDefinition<[RunJob], Promise<RunAggregated>> = {
  name: 'aggregate',
  substep: 'run_scores',
  identity: runIdentity,
  outcome: ({ miners, leads }) => ({ status: 'succeeded', context: { miners, leads } }),
};
