import type { Queryable } from '#database/transaction';
import { step, type StepDefinition, type StepOutcome } from '#steps';
import { withControlState } from '../control/control-state-error.ts';
import { countFailures, countMiners, type MinerCounts } from '../control/counts.ts';
import { endOpenRows } from '../control/end-open-rows.ts';
import { dropManifests } from '../control/frozen-manifest.ts';
import { loadMinersIn } from '../control/miner-row.ts';
import { moveRun } from '../control/moves.ts';
import { isTerminal, RUN_TRANSITIONS } from '../control/transitions.ts';
import { addJobs, type QueuedJob } from '../queue/jobs.ts';
import {
  decideRun,
  failRun,
  type DecisionMade,
  type RunPlan,
  toDecisionEvent,
} from '../runs/run-decision.ts';
import { commitStep } from '../step/commit-step.ts';
import { supersededOutcome } from '../step/common-outcomes.ts';
import { finishRunIfLast } from '../step/miner-commits.ts';
import { runIdentity } from '../step/step-identity.ts';
import type { RunJob } from '../step/step-job.ts';
import { crashMessage, MAX_DELIVERIES } from '../step/step-policy.ts';
import type { Superseded } from '../step/step-result.ts';
import { seedMiner } from './seed-miner.ts';

/** The orchestrator made a decision and the run changed its status. */
export interface Orchestrated {
  readonly kind: 'decided';
  readonly plan: RunPlan;
  readonly miners: MinerCounts;
}
/** There was nothing to decide. */
export interface NothingToDecide {
  readonly kind: 'nothing';
}
export type OrchestrateResult = Orchestrated | NothingToDecide | Superseded;

/** One decision about a run as a whole. */
const orchestrateDefinition: StepDefinition<[RunJob], Promise<OrchestrateResult>> = {
  name: 'orchestration',
  substep: 'decision',
  identity: runIdentity,
  outcome: (result) => {
    switch (result.kind) {
      case 'decided':
        return decidedOutcome(result);
      case 'nothing':
        return { status: 'succeeded', context: { nothing_to_decide: true } };
      case 'superseded':
        return supersededOutcome(result);
    }
  },
};

const decidedOutcome = ({ plan, miners }: Orchestrated): StepOutcome => ({
  status: 'succeeded',
  attributes: {
    'weather.run.status': plan.to,
    'weather.run.error_message': plan.failure?.message,
    'weather.run.error_type': plan.failure?.category,
  },
  events: plan.decisions.map(toDecisionEvent),
  context: { miners },
});

/** A decision that does not change the status of the run. */
const decisionDefinition: StepDefinition<[RunJob, DecisionMade], Promise<DecisionMade>> = {
  name: 'orchestration',
  substep: 'decision',
  identity: runIdentity,
  outcome: (decision) => ({ status: 'succeeded', events: [toDecisionEvent(decision)] }),
};

/** Waits for GFS become warnings after this long, seconds of production. */
const WARN_AFTER_SECONDS = 1800;

/** Decides the next status of a run and commits it with its jobs. */
export const orchestrate = step(orchestrateDefinition, async (job: RunJob): Promise<OrchestrateResult> => {
  const { parts, run } = job;
  const [miners, failures] = await withControlState(async () => [
    await countMiners(parts.pool, run.runId),
    await countFailures(parts.pool, run.runId),
  ]);
  const plan = crashedTooOften(job) ?? decideRun({ run, miners, failures });
  if (plan === null) return { kind: 'nothing' };
  if (plan.to === 'seeding') await seedMiners(job);
  return commitStep<Orchestrated>(job, { kind: 'decided', plan, miners }, (client, result) =>
    commit(client, job, result),
  );
});

/** The end of a run whose orchestration was started too often and never ended. */
function crashedTooOften({ run, delivery: { deliveries } }: RunJob): RunPlan | null {
  if (deliveries <= MAX_DELIVERIES || isTerminal(RUN_TRANSITIONS, run.status)) return null;
  return failRun({ category: 'process_crash', message: crashMessage(deliveries) });
}

/** Seeds each miner in its own trace and its own transaction, so a restart continues with those that are left. */
async function seedMiners(job: RunJob): Promise<void> {
  const { parts, run } = job;
  const miners = await withControlState(() => loadMinersIn(parts.pool, run.runId, 'created'));
  for (const miner of miners) await seedMiner({ ...job, miner });
}

/** Commits the new status, the next job, and the consequences for the miners. */
async function commit(client: Queryable, job: RunJob, { plan }: Orchestrated): Promise<boolean> {
  const { run, parts } = job;
  const at = parts.clock.now();
  const { failure } = plan;
  if (plan.to === 'failed' && failure !== undefined) {
    const failedStep = run.status === 'seeding' ? 'seed' : 'orchestration';
    await endOpenRows(client, run.runId, { ...failure, failedStep });
  }
  const move = { to: plan.to, at, ...(plan.next && { nextAt: at }), ...(failure && { failure }) };
  const moved = await moveRun(client, run, move);
  if (!moved) return false;
  if (plan.next !== null) {
    const payload = { runId: run.runId, revision: run.revision + 1 };
    await addJobs(client, [{ task: plan.next, payload, runAt: at }]);
  }
  if (plan.to === 'querying_miners') await queryAll(client, job, at);
  if (plan.to === 'awaiting_results') await finishRunIfLast(client, job);
  if (isTerminal(RUN_TRANSITIONS, plan.to)) await dropManifests(client, run.runId);
  return true;
}

/** Queues a query job for each seeded miner: one statement, whatever their number. */
async function queryAll(client: Queryable, { run }: RunJob, at: Date): Promise<void> {
  const { rows } = await client.query<{ minerUid: number; revision: number }>(
    `update pipeline.run_miners set state = 'querying', revision = revision + 1, attempt = 1, next_at = $2
     where run_id = $1 and state = 'seeded' returning miner_uid as "minerUid", revision`,
    [run.runId, at],
  );
  const jobs = rows.map((miner): QueuedJob => ({
    task: 'query',
    payload: { runId: run.runId, ...miner },
    runAt: at,
  }));
  await addJobs(client, jobs);
}

/** Records that a run waits for GFS; a warning after `WARN_AFTER_SECONDS`. */
export async function recordGfsWait(job: RunJob, nextRetryTime: Date): Promise<void> {
  const { parts, run } = job;
  const waitedMillis = parts.clock.now().getTime() - run.initiatedAt.getTime();
  const isLong = waitedMillis > WARN_AFTER_SECONDS * 1000 * parts.delayFactor;
  await recordDecision(job, {
    decision: 'wait_for_gfs',
    reason: `attempt ${run.attempt} failed; GFS is tried again at ${nextRetryTime.toISOString()}`,
    level: isLong ? 'WARN' : 'INFO',
  });
}

/** Does nothing but return the decision, which the step definition records. */
const recordDecision = step(
  decisionDefinition,
  (...[, decision]: [job: RunJob, decision: DecisionMade]): Promise<DecisionMade> =>
    Promise.resolve(decision),
);
