import {
  RUN_STATUSES,
  SCORE_TYPES,
  STAGE_STATUSES,
  STEP_NAMES,
  toStage,
  type RunStatus,
  type ScoreType,
  type Stage,
  type StageStatus,
  type StepName,
} from '#semconv';

/**
 * Parses texts of closed sets, total on purpose. The writer rejects unknown texts; should another program have written
 * one, it becomes null, since one foreign row must not hide the state of all others.
 */
const memberOf =
  <Member extends string>(members: readonly Member[]) =>
  (text: string | null): Member | null =>
    members.find((member) => member === text) ?? null;

export const runStatusOf: (text: string | null) => RunStatus | null = memberOf(RUN_STATUSES);
export const stageStatusOf: (text: string | null) => StageStatus | null = memberOf(STAGE_STATUSES);
export const scoreTypeOf: (text: string | null) => ScoreType | null = memberOf(SCORE_TYPES);
export const stepNameOf: (text: string | null) => StepName | null = memberOf(STEP_NAMES);

/** The stage without its number. */
export function stageOf(text: string): Stage | null {
  try {
    return toStage(text);
  } catch {
    return null;
  }
}
