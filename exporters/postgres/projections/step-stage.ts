import type { StepFact } from '#facts/step-fact';
import { era5Stage, inferenceStage, STAGE_STATUS_OF, type StageStatus, type StepName } from '#semconv';
import { memoize } from '#semconv/memoize';

/** A stage of a forecast, and the status within it. */
export interface StageValue {
  readonly stage: string;
  readonly status: StageStatus;
}

/**
 * The stage in which each step works, and the status while it runs. A call to a miner has none: it belongs to its
 * enclosing step; nor has the orchestration, which concerns no forecast.
 */
const RUNNING: Readonly<Partial<Record<StepName, StageValue>>> = {
  query: { stage: 'inference_requested', status: 'in_progress' },
  poll: { stage: 'inference_running', status: 'polling' },
  verify: { stage: 'verification', status: 'in_progress' },
  day1: { stage: 'day1_scoring', status: 'scoring' },
};
const FETCHING_GFS: StageValue = { stage: 'gfs_fetch', status: 'in_progress' };

const scoringOf = memoize((leadHours: number): StageValue => ({
  stage: era5Stage(leadHours),
  status: 'scoring',
}));

/** The stage while a step runs; it follows from the identity of the step alone. */
export function runningStage({ stepName, leadHours, minerHotkey }: StepFact): StageValue | undefined {
  if (stepName === 'era5') return leadHours === null ? undefined : scoringOf(leadHours);
  if (stepName === 'seed') return minerHotkey === null ? FETCHING_GFS : undefined;
  return RUNNING[stepName];
}

/**
 * The stage that a step reports, or else the one that follows from the step; its status likewise follows from the
 * outcome. `in_progress` says nothing about an ended step: its span has it from its start.
 */
export function stageOf(fact: StepFact): StageValue | undefined {
  const { stage: reported, stageStatus } = fact.state;
  const isRealEnd = fact.phase === 'ended' && fact.closing === null && fact.state.superseded !== true;
  if (!isRealEnd)
    return reported === undefined ? undefined : { stage: reported, status: stageStatus ?? 'in_progress' };
  const stage = reported ?? defaultStage(fact);
  if (stage === undefined) return undefined;
  const isStated = stageStatus !== undefined && stageStatus !== 'in_progress';
  return { stage, status: isStated ? stageStatus : STAGE_STATUS_OF[fact.status] };
}

/** The stage of an ended step whose span gives none. A poll is in the stage of the progress that it was told. */
function defaultStage(fact: StepFact): string | undefined {
  const { stepName, minerHotkey, context } = fact;
  if (minerHotkey !== null && stepName === 'seed') return 'init';
  if (minerHotkey !== null && stepName === 'aggregate') return 'complete';
  const progress = stepName === 'poll' ? context?.['progress'] : undefined;
  return typeof progress === 'number' ? inferenceStage(progress) : runningStage(fact)?.stage;
}
