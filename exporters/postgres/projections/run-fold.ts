import type { EpochMicros, StepFact } from '#facts/step-fact';
import { TERMINAL_RUN_STATUSES, toStage, type ErrorCategory, type RunStatus, type StepName } from '#semconv';
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

/** Fields of a run that the newest write wins. */
export interface RunValues extends SlotValues {
  initiationTime: EpochMicros;
  targetTime: EpochMicros;
  initTime: EpochMicros;
  inputMetadata: unknown;
  status: RunStatus;
  /** Terminal status of the run; a later write of a non-terminal status does not undo it. */
  end: (typeof TERMINAL_RUN_STATUSES)[number];
  errorMessage: string;
  /** Category of `errorMessage`. */
  errorType: ErrorCategory;
  /** Stage of the run's own steps. */
  stage: StageValue;
  finalScoring: true;
  updated: true;
}

/** Fields that the oldest write wins: the trace, and when each status and stage was entered. */
export interface RunOrigins {
  trace: string;
  [stage: `stage:${string}`]: true;
  [status: `status:${string}`]: true;
}

export type RunFold = Fold<RunValues, RunOrigins>;

export const emptyRunFold: RunFold = emptyFold;

/** The steps of a run as a whole whose attempts and failures its forecasts show. */
const SLOT_STEPS: readonly StepName[] = ['seed', 'orchestration'];
const slotOf = ({ minerHotkey, stepName }: StepFact): string | null =>
  minerHotkey === null && SLOT_STEPS.includes(stepName) ? stepName : null;

/** Adds facts of a run: those of the run as a whole and those of its miners. */
export function foldRun(fold: RunFold, facts: readonly StepFact[]): RunFold {
  const draft = draftOf(fold);
  for (const fact of facts) {
    const isRealEnd = fact.phase === 'ended' && fact.closing === null;
    setLww<RunValues>(draft, logicalTimestampOf(fact), stateFields(fact, isRealEnd));
    // Ends only: a lost start must not change the row.
    const { runStatus } = fact.state;
    if (runStatus && isRealEnd)
      setFirst<RunOrigins>(draft, logicalTimestampOf(fact), {
        [`status:${runStatus}` as const]: true as const,
      });
    if (fact.minerHotkey === null) addRunStep(draft, fact, isRealEnd);
  }
  return draft;
}

/** Adds a step of the run as a whole: its trace, stage and slot, as those of a miner enter its forecast. */
function addRunStep(draft: Draft<RunValues, RunOrigins>, fact: StepFact, isRealEnd: boolean): void {
  const start = startOf(fact);
  const end = logicalTimestampOf(fact);
  const slot = slotOf(fact);
  const running = runningStage(fact);
  const stage = stageOf(fact);
  setFirst<RunOrigins>(draft, start, { trace: fact.traceId, ...enteredStage(running) });
  setLww<RunValues>(draft, start, { ...startedSlot(fact, slot), stage: running });
  setLww<RunValues>(draft, end, { stage });
  if (fact.phase === 'started') return;
  if (isRealEnd) setFirst<RunOrigins>(draft, end, enteredStage(stage));
  setLww<RunValues>(draft, end, isRealEnd ? endedSlot(fact, slot) : closedSlot(fact, slot));
}

const enteredStage = (stage: StageValue | undefined): Partial<RunOrigins> =>
  stage === undefined ? {} : { [`stage:${toStage(stage.stage)}` as const]: true as const };

function stateFields({ state, minerHotkey, stepName, error }: StepFact, isRealEnd: boolean) {
  const isLastScoring = minerHotkey === null && stepName === 'aggregate' && isRealEnd;
  return {
    initiationTime: state.initiationTime,
    targetTime: state.targetTime,
    initTime: state.initTime,
    inputMetadata: state.runInputMetadata,
    status: state.runStatus,
    end: isEnd(state.runStatus) ? state.runStatus : undefined,
    errorMessage: state.runErrorMessage,
    errorType: state.runErrorType ?? (isRealEnd && isEnd(state.runStatus) ? error?.type : undefined),
    finalScoring: isLastScoring ? (true as const) : undefined,
    updated: true as const,
  };
}

const isEnd = (status: RunStatus | undefined): status is RunValues['end'] =>
  (TERMINAL_RUN_STATUSES as readonly (RunStatus | undefined)[]).includes(status);

/** The columns of `weather_forecast_runs` that follow from its fold. */
export interface ProjectedRunRow {
  readonly initiationTime: EpochMicros | null;
  readonly targetTime: EpochMicros | null;
  readonly initTime: EpochMicros | null;
  readonly inputMetadata: unknown;
  readonly status: RunStatus | null;
  readonly completionTime: EpochMicros | null;
  readonly finalScoringAttemptedTime: EpochMicros | null;
  readonly errorMessage: string | null;
  readonly traceId: string | null;
  readonly updatedAt: EpochMicros;
}

/**
 * When a real end first reported the terminal status; while only a running step did, its start, so that no run has ended
 * without a time.
 */
export const completionTime = ({ newest: { end }, oldest }: RunFold): EpochMicros | null =>
  end === undefined ? null : (oldest[`status:${end.value}`]?.at[0] ?? end.at[0]);

/** Derives the row of a run from its fold. */
export function toRunRow({ newest, oldest }: RunFold): ProjectedRunRow {
  const value = <Name extends keyof RunValues>(name: Name): RunValues[Name] | null =>
    newest[name]?.value ?? null;
  const end = value('end');
  return {
    initiationTime: value('initiationTime'),
    targetTime: value('targetTime'),
    initTime: value('initTime'),
    inputMetadata: value('inputMetadata'),
    status: end ?? value('status'),
    completionTime: completionTime({ newest, oldest }),
    finalScoringAttemptedTime: newest.finalScoring?.at[0] ?? null,
    errorMessage: value('errorMessage'),
    traceId: oldest.trace?.value ?? null,
    updatedAt: newest.updated?.at[0] ?? 0,
  };
}
