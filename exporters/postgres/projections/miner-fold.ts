import type { EpochMicros } from '#facts/step-fact';
import type { ErrorCategory } from '#semconv';
import { emptySum, type ExactSum } from './exact-sum.ts';
import { emptyHistory, type ForecastHistory } from './miner-history.ts';
import type { LwwRegister } from './lww-register.ts';

/** State from which a row of `miner_stats` is derived: counts and exact sums over all time. */
export interface MinerFold {
  readonly uid: LwwRegister<number> | null;
  /** A run took the miner in; absent when none has. */
  readonly selected?: true;
  readonly hostingSuccesses: number;
  readonly hostingFailures: number;
  /** Milliseconds, of successful calls. */
  readonly hostingLatency: ExactSum;
  readonly errors: Readonly<Partial<Record<ErrorCategory, number>>>;
  readonly completed: number;
  readonly failed: number;
  /** Forecasts that failed through no fault of the miner; absent when there are none. */
  readonly excused?: number;
  readonly forecastScore: ExactSum;
  readonly day1Score: ExactSum;
  readonly leadScore: ExactSum;
  readonly completeness: ExactSum;
  /** Seconds. */
  readonly inferenceTime: ExactSum;
  readonly firstSeen: EpochMicros | null;
  readonly lastActive: EpochMicros | null;
  readonly updatedAt: EpochMicros;
  readonly history: ForecastHistory;
}

export const emptyMinerFold: MinerFold = {
  uid: null,
  hostingSuccesses: 0,
  hostingFailures: 0,
  hostingLatency: emptySum,
  errors: {},
  completed: 0,
  failed: 0,
  forecastScore: emptySum,
  day1Score: emptySum,
  leadScore: emptySum,
  completeness: emptySum,
  inferenceTime: emptySum,
  firstSeen: null,
  lastActive: null,
  updatedAt: 0,
  history: emptyHistory,
};
