import type { EpochMicros, ScoreSums, StepFact } from '#facts/step-fact';
import {
  era5Stage,
  TERMINAL_FORECAST_STATUSES,
  toStage,
  type ErrorCategory,
  type ForecastStatus,
  type HostingStatus,
  type StageStatus,
  type StepName,
  type StepStatus,
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

/** State of the newest attempt of one step (of one lead, for ERA5). */
export interface SlotState {
  readonly status: StepStatus;
  readonly attempt: number;
  readonly maxAttempts: number | null;
  readonly nextRetryTime: EpochMicros | null;
  /** Why the attempt was abandoned; absent unless it was. */
  readonly abandoned?: SlotError;
}

/** An error as a forecast shows it; null once the step succeeded. */
export type SlotError = { readonly type: ErrorCategory; readonly message: string } | null;

/** Status and stage of a forecast. */
export interface ForecastState {
  readonly forecastStatus: ForecastStatus;
  readonly stage: ForecastValues['stage'] | undefined;
}

/** Fields of a miner's forecast that the newest write wins; `slot` is a step, or `era5:{L}` for one lead. */
export interface ForecastValues {
  uid: number;
  initTime: EpochMicros;
  targetTime: EpochMicros;
  expectedLeads: number;
  stage: { readonly stage: string; readonly status: StageStatus };
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
  [slot: `slot:${string}`]: SlotState;
  [error: `error:${string}`]: SlotError;
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
const SLOT_STEPS: readonly StepName[] = ['query', 'poll', 'verify', 'day1', 'era5'];

const RUNNING_STAGE: Partial<Record<StepName, ForecastValues['stage']>> = {
  query: { stage: 'inference_requested', status: 'in_progress' },
  poll: { stage: 'inference_running', status: 'polling' },
  verify: { stage: 'verification', status: 'in_progress' },
  day1: { stage: 'day1_scoring', status: 'scoring' },
};

/** The stage of a forecast while a step runs; it follows from the identity of the step alone. */
const runningStage = ({ stepName, leadHours }: StepFact): ForecastValues['stage'] | undefined =>
  stepName === 'era5' && leadHours !== null ? scoringOf(leadHours) : RUNNING_STAGE[stepName];
const scoringOf = memoize((leadHours: number): ForecastValues['stage'] => ({
  stage: era5Stage(leadHours),
  status: 'scoring',
}));

export function slotOf(fact: StepFact): string | null {
  if (!SLOT_STEPS.includes(fact.stepName)) return null;
  return fact.leadHours === null || fact.stepName !== 'era5' ? fact.stepName : era5Slot(fact.leadHours);
}
const era5Slot = memoize((leadHours: number) => `era5:${leadHours}`);

/** Register names of a slot. */
const namesOf = memoize((slot) => ({ state: `slot:${slot}`, error: `error:${slot}` }) as const);
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
  setLww<ForecastValues>(draft, at, fact.closing === null ? endFields(fact) : closingFields(fact));
}

/**
 * A closing sets only the slot, besides the fields of the start. Every real end sets the slot again, so it overwrites
 * all that a closing wrote.
 */
function closingFields(fact: StepFact): Partial<ForecastValues> {
  const slot = slotOf(fact);
  if (slot === null) return {};
  const { error } = fact;
  const abandoned = error === null ? null : { type: error.type, message: error.message };
  const fields: Partial<ForecastValues> = {};
  fields[namesOf(slot).state] = { ...slotState(fact, fact.status), abandoned };
  return fields;
}

/** Sets the fields of a start. The slot only while the step runs: every end sets it again, with a later timestamp. */
function setStart(draft: ForecastDraft, fact: StepFact): void {
  const at = startOf(fact);
  const stage = runningStage(fact);
  const slot = fact.phase === 'started' ? slotOf(fact) : null;
  const newest: Partial<ForecastValues> = {};
  if (stage) newest.stage = stage;
  if (slot) newest[namesOf(slot).state] = slotState(fact, 'in_progress');
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

function stateFields({ state, minerUid }: StepFact) {
  const { hostingStatus, hostingLatencyMs = null, forecastStatus } = state;
  const { stage: name, stageStatus: status = 'in_progress' } = state;
  const stage = name === undefined ? undefined : { stage: name, status };
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
  const slot = slotOf(fact);
  const fields: Partial<ForecastValues> = {};
  if (fact.scoreSums) fields[`sums:${fact.scoreSums.scoreType}:${fact.leadHours ?? 0}`] = fact.scoreSums;
  if (slot === null) return fields;
  const { state, error } = namesOf(slot);
  fields[state] = slotState(fact, fact.status);
  if (fact.error) fields[error] = { type: fact.error.type, message: fact.error.message };
  else if (fact.status === 'succeeded') fields[error] = null;
  return fields;
}

function slotState(fact: StepFact, status: StepStatus): SlotState {
  const { attempt, maxAttempts } = fact;
  return {
    status,
    attempt,
    maxAttempts,
    nextRetryTime: status === 'in_progress' ? null : fact.nextRetryTime,
  };
}
