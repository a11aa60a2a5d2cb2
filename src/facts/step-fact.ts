import type {
  ClosingReason,
  Decision,
  ErrorCategory,
  FieldCheck,
  ForecastStatus,
  HostingStatus,
  LogLevel,
  ResponseStatus,
  RunStatus,
  ScoreType,
  StageStatus,
  StepName,
  StepStatus,
  SubstepGroup,
  TransportOutcome,
} from '#semconv';

/** Microseconds since 1970-01-01T00:00:00Z: the resolution of PostgreSQL, exact in a double. */
export type EpochMicros = number;

/** The error of a step, scrubbed of secrets; the shape of `error_json`. */
export interface ErrorFact {
  readonly type: ErrorCategory;
  readonly class: string | null;
  readonly code: string | null;
  readonly message: string;
  readonly stack: string | null;
  readonly causes: unknown;
  readonly fingerprint: string | null;
  readonly retryable: boolean | null;
  /** Status of the HTTP reply that the failure rests on; null without a reply. */
  readonly http_status: number | null;
}

/**
 * State of the forecast, the exchange and the run, as one span carries it. An absent member is not in the span; null is
 * an explicit missing value (a score that could not be computed).
 */
export interface StateFact {
  /** Another worker made the transition of this step, so that it changed nothing. */
  readonly superseded?: boolean;
  readonly stage?: string;
  readonly stageStatus?: StageStatus;
  readonly forecastStatus?: ForecastStatus;
  readonly forecastType?: string;
  readonly inputSources?: unknown;
  readonly initTime?: EpochMicros;
  readonly targetTime?: EpochMicros;
  readonly initiationTime?: EpochMicros;
  readonly expectedLeads?: number;
  readonly runStatus?: RunStatus;
  readonly runErrorMessage?: string;
  readonly runErrorType?: ErrorCategory;
  readonly runInputMetadata?: unknown;
  readonly minerJobId?: string;
  readonly jobAcceptedAt?: EpochMicros;
  readonly responseStatus?: ResponseStatus;
  readonly transport?: TransportOutcome;
  readonly wireStatus?: string;
  readonly hostingStatus?: HostingStatus;
  readonly hostingLatencyMs?: number;
  readonly inferenceStartedAt?: EpochMicros;
  readonly inferenceCompletedAt?: EpochMicros;
  readonly inferenceDurationSeconds?: number;
  readonly storePath?: string;
  readonly manifestHashClaimed?: string;
  readonly manifestHashComputed?: string;
  readonly manifestHeader?: unknown;
  readonly manifestFrozenAt?: EpochMicros;
  readonly verificationPassed?: boolean;
  readonly scoreInitial?: number | null;
  readonly scoreEra5?: number | null;
  readonly truthDueTime?: EpochMicros;
  readonly scoreInputs?: unknown;
  readonly scorerVersion?: string;
}

/**
 * One variable on one level that a scoring looked at: one event of its span, with the scores of the field, or with the
 * check that it failed.
 */
export interface ComponentScoreFact {
  readonly scoreType: ScoreType;
  readonly leadHours: number;
  readonly validTime: EpochMicros;
  readonly variableName: string;
  readonly pressureLevel: number | null;
  readonly rmse: number | null;
  readonly mse: number | null;
  readonly acc: number | null;
  readonly skillScore: number | null;
  readonly skillScoreGfs: number | null;
  readonly skillScoreClimatology: number | null;
  readonly plainSkillScoreGfs: number | null;
  readonly plainSkillScoreClimatology: number | null;
  readonly coverage: number | null;
  readonly bias: number | null;
  readonly mae: number | null;
  readonly climatologyCheckPassed: boolean | null;
  readonly patternCorrelation: number | null;
  readonly patternCorrelationPassed: boolean | null;
  readonly clonePenalty: number | null;
  readonly variableWeight: number | null;
  readonly calculationDurationMs: number | null;
  readonly failedCheck: FieldCheck | null;
  readonly reason: string | null;
  /** SHA-256 of what the field was read from, hex; null where it is not known. */
  readonly forecastDigest: string | null;
  readonly truthDigest: string | null;
  readonly referenceDigest: string | null;
  readonly climatologyDigest: string | null;
  readonly calculatedAt: EpochMicros;
}

/**
 * Sum and count of the finite values of a metric, added in the order of the events, so that the sum is reproducible.
 */
export interface MetricSum {
  readonly sum: number;
  readonly count: number;
}

/** Sums of the component scores of one succeeded span, over all variables and levels regardless of units. */
export interface ScoreSums {
  readonly scoreType: ScoreType;
  readonly rmse: MetricSum;
  readonly acc: MetricSum;
  readonly skillScore: MetricSum;
}

/** One decision of the orchestrator. */
export interface DecisionFact {
  /** Place among the decisions of the span, from 0. */
  readonly index: number;
  readonly decision: Decision;
  readonly reason: string;
  readonly level: LogLevel;
  readonly at: EpochMicros;
}

/** The typed content of one span: one row of the event log and what the folds take from it. */
export interface StepFact {
  readonly phase: 'started' | 'ended';
  readonly validatorHotkey: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** Whether its trace was sampled, and so sent to a trace store; null when nobody said. */
  readonly traceSampled: boolean | null;
  readonly spanName: string;
  /** The emitter: `service.instance.id`. */
  readonly instanceId: string | null;
  readonly runId: number;
  /** Null for a step of the whole run. */
  readonly minerHotkey: string | null;
  readonly minerUid: number | null;
  readonly stepName: StepName;
  /** With its number: `attempt_3`. */
  readonly substep: string;
  readonly substepGroup: SubstepGroup;
  readonly leadHours: number | null;
  readonly attempt: number;
  readonly maxAttempts: number | null;
  readonly status: StepStatus;
  readonly startedAt: EpochMicros;
  readonly completedAt: EpochMicros | null;
  /** End minus start, nanoseconds: the resolution of the span, so that sums are exact. */
  readonly latencyNanos: number | null;
  readonly retriesRemaining: number | null;
  readonly nextRetryTime: EpochMicros | null;
  readonly error: ErrorFact | null;
  readonly context: Readonly<Record<string, unknown>> | null;
  readonly queueJobId: number | null;
  readonly state: StateFact;
  readonly componentScores: readonly ComponentScoreFact[];
  readonly scoreSums: ScoreSums | null;
  readonly decisions: readonly DecisionFact[];
  /** The reason of a synthetic end; null for a real one. */
  readonly closing: ClosingReason | null;
  /** Adjusted values by reason. */
  readonly adjustments: Readonly<Record<string, number>>;
  /** Whether the SDK dropped attributes or events of the span at its limits. */
  readonly truncated: boolean;
}
