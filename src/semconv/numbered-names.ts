import { memoize } from './memoize.ts';
import { SUBSTEPS, STAGES, type Stage, type StepName, type SubstepGroup } from './vocabulary.ts';

const substeps = Object.values(SUBSTEPS).flat();
/** Any substep: one of the closed set, or `attempt_{n}`. */
export const SUBSTEP_PATTERN = new RegExp(
  `^(${substeps.filter((name) => name !== 'attempt').join('|')}|attempt_[1-9][0-9]{0,5})$`,
);
/** Any stage: one of the closed set, or one of the two families with a number. */
export const STAGE_PATTERN = new RegExp(
  `^(${STAGES.join('|')}|inference_running_(100|[1-9]?[0-9])%|era5_scoring_[1-9][0-9]{0,2}h)$`,
);

/**
 * The stage without its number, by which metrics and panels group; memoized.
 *
 * @throws RangeError for a text that is not a stage
 */
export const toStage = memoize((stageText: string): Stage => {
  const bare = stageText.replace(/_[0-9]+[%h]$/, '');
  const stage = STAGES.find((name) => name === bare);
  if (stage === undefined) {
    throw new RangeError(
      `stage is "${stageText}"; allowed: ${STAGES.join(', ')}, inference_running_{p}%, era5_scoring_{L}h`,
    );
  }
  return stage;
});

const withoutNumber = memoize((substep) => substep.replace(/^attempt_[0-9]+$/, 'attempt'));

/** The substep without its number, or null when the step has no such substep. */
export function toSubstepGroup(step: StepName, substep: string): SubstepGroup | null {
  const bare = withoutNumber(substep);
  return SUBSTEPS[step].find((name) => name === bare) ?? null;
}

/** `attempt_{n}`, the substep of the n-th poll. */
export const pollSubstep = (attempt: number): string => `attempt_${attempt}`;
/** `era5_scoring_{L}h`. */
export const era5Stage = (leadHours: number): string => `era5_scoring_${leadHours}h`;
/** `inference_running_{p}%`, or without the number when the progress is unknown. Progress is clamped to 0…100 %. */
export function inferenceStage(progress: number | null): string {
  if (progress === null || !Number.isFinite(progress)) return 'inference_running';
  return `inference_running_${Math.round(Math.min(100, Math.max(0, progress)))}%`;
}
