import type { EpochMicros, StepFact } from '#facts/step-fact';
import { TERMINAL_RUN_STATUSES, type RunStatus } from '#semconv';
import {
  draftOf,
  emptyFold,
  logicalTimestampOf,
  setLww,
  setFirst,
  startOf,
  type Fold,
} from './lww-register.ts';

/** Fields of a run that the newest write wins. */
export interface RunValues {
  initiationTime: EpochMicros;
  targetTime: EpochMicros;
  initTime: EpochMicros;
  inputMetadata: unknown;
  status: RunStatus;
  /** Terminal status of the run; a later write of a non-terminal status does not undo it. */
  end: RunStatus;
  errorMessage: string;
  finalScoring: true;
  updated: true;
}

/** Fields that the oldest write wins: the trace, and when each status was entered. */
export interface RunOrigins {
  trace: string;
  [status: `status:${string}`]: true;
}

export type RunFold = Fold<RunValues, RunOrigins>;

export const emptyRunFold: RunFold = emptyFold;

/** Adds facts of a run: those of the run as a whole and those of its miners. */
export function foldRun(fold: RunFold, facts: readonly StepFact[]): RunFold {
  const draft = draftOf(fold);
  for (const fact of facts) {
    const { runStatus } = fact.state;
    const isRealEnd = fact.phase === 'ended' && fact.closing === null;
    const at = logicalTimestampOf(fact);
    if (fact.minerHotkey === null) setFirst<RunOrigins>(draft, startOf(fact), { trace: fact.traceId });
    setLww<RunValues>(draft, at, stateFields(fact, isRealEnd));
    // Ends only: a lost start must not change the row.
    if (runStatus && isRealEnd)
      setFirst<RunOrigins>(draft, at, { [`status:${runStatus}` as const]: true as const });
  }
  return draft;
}

function stateFields({ state, minerHotkey, stepName }: StepFact, isRealEnd: boolean) {
  const isLastScoring = minerHotkey === null && stepName === 'aggregate' && isRealEnd;
  return {
    initiationTime: state.initiationTime,
    targetTime: state.targetTime,
    initTime: state.initTime,
    inputMetadata: state.runInputMetadata,
    status: state.runStatus,
    end: isEnd(state.runStatus) ? state.runStatus : undefined,
    errorMessage: state.runErrorMessage,
    finalScoring: isLastScoring ? (true as const) : undefined,
    updated: true as const,
  };
}

const isEnd = (status: RunStatus | undefined): boolean =>
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
    completionTime: end === null ? null : (oldest[`status:${end}`]?.at[0] ?? null),
    finalScoringAttemptedTime: newest.finalScoring?.at[0] ?? null,
    errorMessage: value('errorMessage'),
    traceId: oldest.trace?.value ?? null,
    updatedAt: newest.updated?.at[0] ?? 0,
  };
}
