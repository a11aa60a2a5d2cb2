import type { DeadLetterReason, RunStatus, Stage, StageStatus, StepName } from '#semconv';
import type { EpochMicros } from './step-fact.ts';

/** How the pipeline stands, as the recorded tables show it at one instant. */
export interface PipelineState {
  /** When it was read, by the clock of the reader; what is overdue is so by this instant. */
  readonly readAt: EpochMicros;
  readonly validators: readonly Validator[];
  readonly openRuns: readonly OpenRun[];
  /** Steps that run now, by step; a step that does not run is left out. */
  readonly stepsInProgress: ByStep<StepsInProgress>;
  /** Steps of open runs that will be tried again, by step; waiting for truth is none of them. */
  readonly retries: ByStep<ScheduledRetries>;
  /** Spans that are kept because they could not be recorded; a reason without any is left out. */
  readonly deadLetters: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Numbered records of all processes that left them and never came in; 0 is right. */
  readonly missingRecords: number;
}

export type ByStep<Value> = Readonly<Partial<Record<StepName, Value>>>;

export interface Validator {
  /** Its number in the tables. */
  readonly id: number;
  readonly hotkey: string;
}

/** A run that is not ended. */
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
  /** Leads of forecasts whose newest attempt waits for truth. */
  readonly leadsWaitingForTruth: number;
  /** When the earliest truth that is waited for is, or was, due; null when none is waited for. */
  readonly oldestTruthDue: EpochMicros | null;
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
