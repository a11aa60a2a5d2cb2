import type { EpochMicros, ScoreSums, StepFact } from '#facts/step-fact';
import {
  TERMINAL_FORECAST_STATUSES,
  toStage,
  type ForecastStatus,
  type HostingStatus,
  type StepName,
} from '#semconv';
import { memoize } from '#semconv/memoize';
import {
  draftOf,
  emptyFold,
  logicalTimestampOf,
  setLww,
  setFirst,
  startOf,
  type Draft,
  type Fold,
} from './lww-register.ts';
import { closedSlot, endedSlot, startedSlot, type SlotValues } from './step-slots.ts';
import { runningStage, stageOf, type StageValue } from './step-stage.ts';

/** Status and stage of a forecast. */
export interface ForecastState {
  readonly forecastStatus: ForecastStatus;
  readonly stage: StageValue | undefined;
}

/** Fields of a miner's forecast that the newest write wins; `slot` is a step, or `era5:{L}` for one lead. */
export interface ForecastValues extends SlotValues {
  uid: number;
  initTime: EpochMicros;
  targetTime: EpochMicros;
  expectedLeads: number;
  stage: StageValue;
  forecastStatus: ForecastStatus;
  /**
   * Terminal state of the forecast; a later write of a non-terminal status does not undo it. The commit of the last
   * lead lets the forecast end, and on a busy machine the span of that lead may end only afterwards.
   */
  end: ForecastState;
  forecastType: string;
  inputSources: unknown;
  scoreInitial: number | null;
  hosting: { readonly status: HostingStatus; readonly latencyMs: number | null };
  inferenceDurationSeconds: number;
  updated: true;
  [lead: `lead:${number}`]: number | null;
  [sums: `sums:${string}`]: ScoreSums;
}

/** Fields that the oldest write wins: the trace, and when each stage and status was entered. */
export interface ForecastOrigins {
  trace: string;
  [status: `status:${string}`]: true;
  [stage: `stage:${string}`]: true;
}

export type ForecastFold = Fold<ForecastValues, ForecastOrigins>;
type ForecastDraft = Draft<ForecastValues, ForecastOrigins>;

export const emptyForecastFold: ForecastFold = emptyFold;

/** The steps whose attempts a forecast waits for. A call to a miner belongs to its enclosing step. */
const SLOT_STEPS: readonly StepName[] = ['seed', 'query', 'poll', 'verify', 'day1', 'era5', 'aggregate'];

export function slotOf(fact: StepFact): string | null {
  if (!SLOT_STEPS.includes(fact.stepName)) return null;
  return fact.leadHours === null || fact.stepName !== 'era5' ? fact.stepName : era5Slot(fact.leadHours);
}
const era5Slot = memoize((leadHours: number) => `era5:${leadHours}`);

const leadName = memoize((leadHours: number) => `lead:${leadHours}` as const);
const stageName = memoize((stage) => `stage:${toStage(stage)}` as const);

/** Adds facts of a miner. An ended span also sets the fields of its start, so that a lost start loses nothing. */
export function foldForecast(fold: ForecastFold, facts: readonly StepFact[]): ForecastFold {
  const draft = draftOf(fold);
  for (const fact of facts) addFact(draft, fact);
  return draft;
}

function addFact(draft: ForecastDraft, fact: StepFact): void {
  setStart(draft, fact);
  const at = logicalTimestampOf(fact);
  const fields = stateFields(fact);
  setLww<ForecastValues>(draft, at, fields);
  setLww<ForecastValues>(draft, at, leadFields(fact));
  if (fact.phase === 'started') return;
  if (fact.closing === null) setFirst<ForecastOrigins>(draft, at, firstEndFields(fields));
  setLww<ForecastValues>(draft, at, fact.closing === null ? endFields(fact) : closedSlot(fact, slotOf(fact)));
}

function setStart(draft: ForecastDraft, fact: StepFact): void {
  const at = startOf(fact);
  const stage = runningStage(fact);
  const newest: Partial<ForecastValues> = startedSlot(fact, slotOf(fact));
  if (stage) newest.stage = stage;
  setLww<ForecastValues>(draft, at, newest);
  const oldest: Partial<ForecastOrigins> = { trace: fact.traceId };
  if (stage) oldest[stageName(stage.stage)] = true;
  setFirst<ForecastOrigins>(draft, at, oldest);
}

function leadFields({ state, stepName, leadHours }: StepFact): Partial<ForecastValues> {
  const fields: Partial<ForecastValues> = {};
  if (stepName === 'era5' && leadHours !== null && state.scoreEra5 !== undefined)
    fields[leadName(leadHours)] = state.scoreEra5;
  return fields;
}

function stateFields(fact: StepFact) {
  const { state, minerUid } = fact;
  const { hostingStatus, hostingLatencyMs = null, forecastStatus } = state;
  const stage = stageOf(fact);
  return {
    uid: minerUid ?? undefined,
    initTime: state.initTime,
    targetTime: state.targetTime,
    expectedLeads: state.expectedLeads,
    stage,
    forecastStatus,
    end: isEnd(forecastStatus) ? { forecastStatus, stage } : undefined,
    forecastType: state.forecastType,
    inputSources: state.inputSources,
    scoreInitial: state.scoreInitial,
    hosting: hostingStatus === undefined ? undefined : { status: hostingStatus, latencyMs: hostingLatencyMs },
    inferenceDurationSeconds: state.inferenceDurationSeconds,
    updated: true as const,
  };
}

const isEnd = (status: ForecastStatus | undefined): status is ForecastStatus =>
  (TERMINAL_FORECAST_STATUSES as readonly (ForecastStatus | undefined)[]).includes(status);

/** Set by real ends only: a first write by a start would be missing when that start is lost. */
function firstEndFields({ stage, forecastStatus }: ReturnType<typeof stateFields>): Partial<ForecastOrigins> {
  const first: Partial<ForecastOrigins> = {};
  if (stage) first[stageName(stage.stage)] = true;
  if (forecastStatus) first[`status:${forecastStatus}`] = true;
  return first;
}

function endFields(fact: StepFact): Partial<ForecastValues> {
  const fields: Partial<ForecastValues> = endedSlot(fact, slotOf(fact));
  if (fact.scoreSums) fields[`sums:${fact.scoreSums.scoreType}:${fact.leadHours ?? 0}`] = fact.scoreSums;
  return fields;
}
