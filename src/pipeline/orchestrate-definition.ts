import type { StepDefinition, StepOutcome } from '#steps';
import { supersededOutcome } from './step/common-outcomes.ts';
import type { MinerCounts } from './control/counts.ts';
import { toDecisionEvent, type DecisionMade, type RunPlan } from './runs/run-decision.ts';
import { runIdentity } from './step/step-identity.ts';
import type { RunJob } from './step/step-job.ts';
import type { Superseded } from './step/step-result.ts';

/** The orchestrator decided, and the run moved on. */
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
export const orchestrateDefinition: StepDefinition<[RunJob], Promise<OrchestrateResult>> = {
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
  attributes: { 'weather.run.status': plan.to, 'weather.run.error_message': plan.errorMessage },
  events: plan.decisions.map(toDecisionEvent),
  context: { miners },
});

/** Something that was decided without moving the run. */
export const decisionDefinition: StepDefinition<[RunJob, DecisionMade], Promise<DecisionMade>> = {
  name: 'orchestration',
  substep: 'decision',
  identity: runIdentity,
  outcome: (decision) => ({ status: 'succeeded', events: [toDecisionEvent(decision)] }),
};
