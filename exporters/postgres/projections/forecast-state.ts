import type { EpochMicros } from '#facts/step-fact';
import { isoOfMicros } from '#facts/instants';
import {
  era5Stage,
  FAULT_OF,
  faultOfRun,
  FINAL_STAGE_STATUSES,
  STAGE_STATUS_OF,
  STAGES_BEFORE_QUERY,
  TERMINAL_FORECAST_STATUSES,
  toStage,
  type ErrorCategory,
  type FaultParty,
  type ForecastStatus,
  type Stage,
  type StageStatus,
} from '#semconv';
import type { ForecastFold } from './forecast-fold.ts';
import {
  isAbandonedSince,
  nextSlot,
  retryColumns,
  slotsOf,
  standingErrors,
  type NamedSlot,
  type RetryColumns,
} from './forecast-slots.ts';
import { compareTimestamps, newestOf, type LwwRegister } from './lww-register.ts';
import { noEffect, type RunEffect } from './run-effect.ts';
import type { SlotError } from './step-slots.ts';
import type { StageValue } from './step-stage.ts';

/** An error as a row shows it. */
export interface ShownError {
  readonly type: ErrorCategory;
  readonly fault: FaultParty;
  readonly message: string;
  /** ISO 8601. */
  readonly timestamp: string;
}

/** The columns of `weather_forecast_stats` that say where a forecast stands. */
export interface ForecastPosition extends RetryColumns {
  readonly forecastStatus: ForecastStatus;
  readonly stage: string | null;
  readonly stageStatus: StageStatus | null;
  readonly stageSince: EpochMicros | null;
  readonly error: ShownError | null;
  readonly completedAt: EpochMicros | null;
  /** When the run last changed what this says; 0 when it did not. */
  readonly changedByRunAt: EpochMicros;
}

/** Derives where a forecast stands from its fold, merged with what its run adds. */
export function toForecastPosition(fold: ForecastFold, run: RunEffect): ForecastPosition {
  const { newest } = fold;
  const slots = slotsOf(newest);
  if (newest.end !== undefined) return endedByItself(fold, slots, newest.end.value.forecastStatus);
  const shared = isInInit(newest, slots) ? run : noEffect;
  const open = openPosition(fold, slots, shared);
  return run.end === null ? open : endedByRun(open, run.end);
}

/** A forecast that reported its own end: nothing is still to come. */
function endedByItself(
  fold: ForecastFold,
  slots: readonly NamedSlot[],
  forecastStatus: ForecastStatus,
): ForecastPosition {
  const { newest, oldest } = fold;
  const stage = newest.end?.value.stage ?? newest.stage?.value;
  const isFinal = (FINAL_STAGE_STATUSES as readonly (StageStatus | undefined)[]).includes(stage?.status);
  const status = forecastStatus === 'completed' ? 'completed' : 'failed';
  return {
    ...NOTHING_TO_COME,
    forecastStatus,
    stage: stage?.stage ?? null,
    stageStatus: stage === undefined ? null : isFinal ? stage.status : status,
    stageSince: stage === undefined ? null : enteredAt(oldest, stage.stage),
    error: shownError(newestOf(standingErrors(newest, slots))),
    completedAt: oldest[`status:${forecastStatus}`]?.at[0] ?? null,
    changedByRunAt: 0,
  };
}

const NOTHING_TO_COME = { retriesRemaining: 0, nextScheduledRetry: null } as const;

/** A forecast that its run ended. Where it stood stays visible; nobody's later write changes that it ended. */
function endedByRun(open: ForecastPosition, end: NonNullable<RunEffect['end']>): ForecastPosition {
  return {
    ...open,
    ...NOTHING_TO_COME,
    forecastStatus: 'failed',
    stageStatus: open.stage === null ? null : 'failed',
    error: shownError({ at: end.at, value: { type: end.type, message: end.message } }, faultOfRun(end.type)),
    completedAt: end.completedAt,
    changedByRunAt: Math.max(open.changedByRunAt, end.at[0]),
  };
}

function openPosition(
  { newest, oldest }: ForecastFold,
  own: readonly NamedSlot[],
  run: RunEffect,
): ForecastPosition {
  const slots = run.seed === null ? own : [...own, { ...run.seed, name: 'seed', leadHours: null }];
  const next = nextSlot(slots);
  const [stage, since] = currentStage({ newest, oldest }, { slots, next, run });
  const errors = standingErrors(newest, own);
  const error = newestOf(run.error === null ? errors : [...errors, run.error]);
  const isAbandoned = isAbandonedSince(slots, stage);
  return {
    forecastStatus: newest.forecastStatus?.value ?? 'pending',
    stage: stage?.value.stage ?? null,
    stageStatus: stage === undefined ? null : isAbandoned ? 'error' : stage.value.status,
    stageSince: stage === undefined ? null : since,
    error: shownError(
      error,
      error !== null && error === run.error ? faultOfRun(error.value.type) : undefined,
    ),
    ...retryColumns(slots, next),
    completedAt: null,
    changedByRunAt: Math.max(...[run.stage, run.seed, run.error].map((register) => register?.at[0] ?? 0)),
  };
}

/** Whether nobody has asked the miner for anything yet: until then the steps of the run are those of the forecast. */
function isInInit({ stage }: ForecastFold['newest'], slots: readonly NamedSlot[]): boolean {
  const before: readonly Stage[] = STAGES_BEFORE_QUERY;
  const isBefore = stage === undefined || before.includes(toStage(stage.value.stage));
  return isBefore && slots.every(({ name }) => name === 'seed');
}

interface Position {
  readonly slots: readonly NamedSlot[];
  readonly next: NamedSlot | undefined;
  readonly run: RunEffect;
}
type StageSince = readonly [stage: LwwRegister<StageValue> | undefined, since: EpochMicros | null];

/**
 * The stage of an open forecast: that of the run in init, that of the lead that is looked for next while all open leads
 * wait, else the newest.
 */
function currentStage({ newest, oldest }: ForecastFold, { slots, next, run }: Position): StageSince {
  const { stage } = newest;
  if (run.stage !== null && (stage === undefined || isNewer(run.stage, stage)))
    return [run.stage, run.stageSince];
  if (stage === undefined) return [undefined, null];
  const shown = leadStage(slots, next, stage) ?? stage;
  return [shown, enteredAt(oldest, shown.value.stage)];
}

/** In init the stage of the run is the later one, whatever the order of seeding and fetching was. */
const isNewer = (run: LwwRegister<StageValue>, own: LwwRegister<StageValue>): boolean =>
  own.value.stage === 'init' || compareTimestamps(run.at, own.at) > 0;

const LEAD_STAGES: readonly Stage[] = ['day1_scoring', 'day1_scored', 'era5_scoring'];

/** While leads are scored at the same time, each writes its stage; what is shown is the work at hand, or what comes next. */
function leadStage(
  slots: readonly NamedSlot[],
  next: NamedSlot | undefined,
  stage: LwwRegister<StageValue>,
): LwwRegister<StageValue> | undefined {
  if (!LEAD_STAGES.includes(toStage(stage.value.stage))) return undefined;
  const underway = newestOf(slots.filter(isLeadInProgress)) as NamedSlot | null;
  const slot = underway ?? (next !== undefined && isOfLead(next) ? next : undefined);
  if (slot === undefined) return undefined;
  const { status } = slot.value;
  return {
    at: slot.at,
    value: {
      stage: slot.leadHours === null ? 'day1_scoring' : era5Stage(slot.leadHours),
      status: status === 'in_progress' ? 'scoring' : STAGE_STATUS_OF[status],
    },
  };
}

const isOfLead = ({ name, leadHours }: NamedSlot): boolean => name === 'day1' || leadHours !== null;
const isLeadInProgress = (slot: NamedSlot): boolean => isOfLead(slot) && slot.value.status === 'in_progress';

function shownError(
  register: LwwRegister<NonNullable<SlotError>> | null,
  fault?: FaultParty,
): ShownError | null {
  if (register === null) return null;
  const { type, message } = register.value;
  return { type, fault: fault ?? FAULT_OF[type], message, timestamp: isoOfMicros(register.at[0]) };
}

const enteredAt = (oldest: ForecastFold['oldest'], stage: string): EpochMicros | null =>
  oldest[`stage:${toStage(stage)}`]?.at[0] ?? null;

/** How a forecast counts for its miner. */
export type CountedEnd = 'completed' | 'failed' | 'excused';

/**
 * How an ended forecast counts for its miner; null while it is open. One that upstream data or the validator ended is
 * excused: it counts neither as a success nor as a failure.
 */
export function countedEnd({ forecastStatus, error }: ForecastPosition): CountedEnd | null {
  if (!(TERMINAL_FORECAST_STATUSES as readonly ForecastStatus[]).includes(forecastStatus)) return null;
  if (forecastStatus === 'completed') return 'completed';
  return error === null || error.fault === 'miner' ? 'failed' : 'excused';
}
