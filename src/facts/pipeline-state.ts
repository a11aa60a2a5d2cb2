import type { DeadLetterReason, RunStatus, ScoreType, Stage, StageStatus, StepName } from '#semconv';
import type { EpochMicros } from './step-fact.ts';

/** How the pipeline stands, as the recorded tables show it at one instant. */
export interface PipelineState {
  /** When it was read, by the reader's clock; overdue is relative to it. */
  readonly readAt: EpochMicros;
  readonly validators: readonly Validator[];
  readonly openRuns: readonly OpenRun[];
  /** Of each validator the newest run that ended in each status other than `completed`. */
  readonly unfinishedRuns: readonly UnfinishedRun[];
  /** Running steps, by step name; absent when none runs. */
  readonly stepsInProgress: ByStep<StepsInProgress>;
  /** Scheduled retries in open runs, by step name; without those that wait for truth. */
  readonly retries: ByStep<ScheduledRetries>;
  /** Dead letters by reason; absent when there are none. */
  readonly deadLetters: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Records that an emitter numbered and that never arrived; 0 when nothing is missing. */
  readonly missingRecords: number;
  /** Emitters whose numbers prove nothing, since their id or their numbers were used twice; 0 is right. */
  readonly conflictingEmitters: number;
}

export type ByStep<Value> = Readonly<Partial<Record<StepName, Value>>>;

export interface Validator {
  /** Its number in the tables. */
  readonly id: number;
  readonly hotkey: string;
}

/** A run that has not ended. */
export interface OpenRun {
  readonly validatorId: number;
  readonly runId: number;
  /** Null until a span has reported it. */
  readonly status: RunStatus | null;
  /** When the run entered that status. */
  readonly statusSince: EpochMicros | null;
  /** T0. */
  readonly initTime: EpochMicros | null;
  /** One entry for each stage and status in which there are forecasts. */
  readonly forecasts: readonly ForecastCount[];
  /** Waits for truth, by the score that waits: day one for GFS, the leads for ERA5. */
  readonly truthWaits: Readonly<Record<ScoreType, TruthWait>>;
}

export interface TruthWait {
  /** Leads of forecasts whose newest attempt waits for truth. */
  readonly leads: number;
  /** Due time of the earliest truth that a lead waits for; null when none waits. */
  readonly oldestDue: EpochMicros | null;
}

export const NO_TRUTH_WAIT: OpenRun['truthWaits'] = {
  day1: { leads: 0, oldestDue: null },
  era5: { leads: 0, oldestDue: null },
};

/** A run that ended without being completed. */
export interface UnfinishedRun {
  readonly validatorId: number;
  readonly runId: number;
  readonly status: RunStatus;
  readonly endedAt: EpochMicros;
}

export interface ForecastCount {
  readonly stage: Stage;
  readonly stageStatus: StageStatus;
  readonly forecasts: number;
}

export interface StepsInProgress {
  readonly steps: number;
  /** When the one that runs longest was started. */
  readonly oldestStart: EpochMicros;
}

export interface ScheduledRetries {
  readonly scheduled: number;
  /** Those whose time has passed. */
  readonly overdue: number;
  /** When the one that is overdue longest was due; null when none is. */
  readonly oldestDue: EpochMicros | null;
}

/** A run that has not ended, for which retention keeps rows of the log. */
export interface HoldingRun {
  readonly validatorId: number;
  readonly validatorHotkey: string;
  readonly runId: number;
  /** Null until a span has reported it. */
  readonly status: RunStatus | null;
  /** Whether it began longer ago than any run lasts: it was given up, and nobody has reported its end. */
  readonly isOverdue: boolean;
}

/** A partition of the log that is older than its retention and is kept for runs that have not ended. */
export interface HeldPartition {
  readonly name: string;
  /** When it exceeded its retention: without these runs it would have been dropped then. */
  readonly expiredAt: EpochMicros;
  readonly runs: readonly HoldingRun[];
}
