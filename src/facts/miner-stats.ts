import type { ErrorCategory } from '#semconv';
import type { EpochMicros } from './step-fact.ts';

/** One committed row of `miner_stats`, which the metrics mirror. Durations are seconds unless the name has a unit. */
export interface MinerStats {
  /** Number of the validator in the tables. */
  readonly validatorId: number;
  readonly validatorHotkey: string;
  readonly minerHotkey: string;
  readonly minerUid: number | null;
  /** A run took the miner in; false for one that spans merely name. */
  readonly isSelected: boolean;
  readonly minerRank: number | null;
  readonly avgForecastScore: number | null;
  readonly successfulForecasts: number;
  readonly failedForecasts: number;
  /** Forecasts that failed by the fault of upstream data or of the validator; neither successes nor failures. */
  readonly excusedForecasts: number;
  /** completed / (completed + failed); null when there is none. */
  readonly forecastSuccessRatio: number | null;
  /** Calls to the miner whose transport succeeded. */
  readonly hostingSuccesses: number;
  readonly hostingFailures: number;
  readonly hostReliabilityRatio: number | null;
  readonly avgHostingLatencyMs: number | null;
  readonly avgDay1Score: number | null;
  readonly avgEra5Score: number | null;
  readonly avgEra5Completeness: number | null;
  readonly bestForecastScore: number | null;
  readonly worstForecastScore: number | null;
  readonly scoreStdDev: number | null;
  readonly lastSuccessfulForecast: EpochMicros | null;
  readonly lastFailedForecast: EpochMicros | null;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
  /** Seconds. */
  readonly totalInferenceTime: number;
  readonly avgInferenceTime: number | null;
  /** Failed steps by category, all time. */
  readonly commonErrors: Readonly<Partial<Record<ErrorCategory, number>>>;
  /** The same as fractions; they add up to 1. */
  readonly errorRateByType: Readonly<Partial<Record<ErrorCategory, number>>> | null;
  readonly firstSeen: EpochMicros | null;
  readonly lastActive: EpochMicros | null;
  readonly updatedAt: EpochMicros;
}

/** A row with its database version (`xmin` and `ctid`), which changes with every write of any process. */
export interface CommittedMinerStats extends MinerStats {
  readonly rowVersion: string;
}

/** The rows of `miner_stats` at one instant. */
export interface MinerStatsRead {
  /** Identity of the database that they were read from; the metrics name it. */
  readonly databaseId?: string | undefined;
  readonly rows: readonly CommittedMinerStats[];
  /** Snapshot visibility: whether this row version was committed when the rows were read. */
  readonly hasSeen: (rowVersion: string) => boolean;
}
