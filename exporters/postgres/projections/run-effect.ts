import type { EpochMicros } from '#facts/step-fact';
import { toStage, type ErrorCategory, type RunStatus } from '#semconv';
import { canonicalJson } from './canonical-json.ts';
import { newestOf, type LogicalTimestamp, type LwwRegister } from './lww-register.ts';
import { completionTime, type RunFold, type RunValues } from './run-fold.ts';
import type { SlotError, SlotState } from './step-slots.ts';
import type { StageValue } from './step-stage.ts';

/** How a run ended, as the forecasts that had not ended themselves show it. */
export interface RunEnd {
  readonly at: LogicalTimestamp;
  readonly type: ErrorCategory;
  readonly message: string;
  readonly completedAt: EpochMicros | null;
}

/**
 * What a run adds to its forecasts: the stage, attempts and errors of its own steps, which concern the forecasts that
 * have not gone beyond init, and its end, which ends all that are open. A forecast's row is the merge of its fold with
 * it, so one write of the run replaces one of each miner, and a forecast that is seeded later shows it as well.
 */
export interface RunEffect {
  readonly stage: LwwRegister<StageValue> | null;
  readonly stageSince: EpochMicros | null;
  readonly seed: LwwRegister<SlotState> | null;
  /** Newest error of the run's own steps that was not overcome. */
  readonly error: LwwRegister<NonNullable<SlotError>> | null;
  readonly end: RunEnd | null;
}

export const noEffect: RunEffect = { stage: null, stageSince: null, seed: null, error: null, end: null };

const ERROR_SLOTS = ['seed', 'orchestration'] as const;

/** Derives what a run adds to its forecasts from its fold. */
export function toRunEffect(fold: RunFold): RunEffect {
  const { newest, oldest } = fold;
  const stage = newest.stage ?? null;
  const error = newestError(newest);
  return {
    stage,
    stageSince: stage === null ? null : (oldest[`stage:${toStage(stage.value.stage)}`]?.at[0] ?? null),
    seed: newest['slot:seed'] ?? null,
    error,
    end: endOf(fold, error?.value.type),
  };
}

/** Whether two effects of a run give the same rows of its forecasts. */
export const isSameEffect = (a: RunEffect, b: RunEffect): boolean =>
  a === b || canonicalJson(a) === canonicalJson(b);

function newestError(newest: RunFold['newest']): RunEffect['error'] {
  const errors = ERROR_SLOTS.flatMap((slot) => [
    newest[`error:${slot}`],
    abandonedIn(newest[`slot:${slot}`]),
  ]);
  const error = newestOf(errors.filter(isStanding));
  return error;
}

const abandonedIn = (slot: LwwRegister<SlotState> | undefined): LwwRegister<SlotError> | undefined =>
  slot && { at: slot.at, value: slot.value.abandoned ?? null };

const isStanding = (
  register: LwwRegister<SlotError> | undefined,
): register is LwwRegister<NonNullable<SlotError>> => register !== undefined && register.value !== null;

/** Why a forecast ended with its run where the run gives no reason. */
const REASON: Readonly<Record<RunValues['end'], string>> = {
  completed: 'The run completed, and no end of this forecast was recorded.',
  failed: 'The run failed.',
  all_miners_failed: 'All miners of the run failed, and no end of this forecast was recorded.',
  stale_abandoned: 'The run was abandoned.',
};

function endOf(fold: RunFold, errorType: ErrorCategory | undefined): RunEnd | null {
  const { newest } = fold;
  const { end, errorMessage } = newest;
  if (end === undefined) return null;
  const status: RunStatus = end.value;
  // These ends say nothing about a forecast whose own end is not recorded.
  const isByForecasts = status === 'completed' || status === 'all_miners_failed';
  return {
    at: end.at,
    type: (isByForecasts ? undefined : (newest.errorType?.value ?? errorType)) ?? 'unknown',
    message: (isByForecasts ? undefined : errorMessage?.value) ?? REASON[end.value],
    completedAt: completionTime(fold),
  };
}
