import type { MinerStats } from '../../../src/facts/miner-stats.ts';
import type { EpochMicros, ErrorFact, StateFact, StepFact } from '../../../src/facts/step-fact.ts';
import { countsAsError, type ErrorCategory } from '../../../src/semconv/index.ts';
import {
  addToSum,
  emptySum,
  meanOf,
  replaceInSum,
  standardDeviationOf,
  totalOf,
  type ExactSum,
} from './exact-sum.ts';
import type { ForecastRow } from './forecast-row.ts';
import { compareMoments, momentOf, type Register, type TimedFact } from './register.ts';

/** What the finished forecasts of a miner say together; read from their rows by index, not folded. */
export interface ForecastHistory {
  readonly best: number | null;
  readonly worst: number | null;
  readonly lastSuccess: EpochMicros | null;
  readonly lastFailure: EpochMicros | null;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/** Everything that `miner_stats` is made of: counts and exact sums over all time. */
export interface MinerFold {
  readonly uid: Register<number> | null;
  readonly hostingSuccesses: number;
  readonly hostingFailures: number;
  /** Milliseconds, of calls that worked. */
  readonly hostingLatency: ExactSum;
  readonly errors: Readonly<Partial<Record<ErrorCategory, number>>>;
  readonly completed: number;
  readonly failed: number;
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
  history: {
    best: null,
    worst: null,
    lastSuccess: null,
    lastFailure: null,
    consecutiveSuccesses: 0,
    consecutiveFailures: 0,
  },
};

const latest = (a: EpochMicros | null, b: EpochMicros): EpochMicros => (a === null ? b : Math.max(a, b));
const earliest = (a: EpochMicros | null, b: EpochMicros): EpochMicros => (a === null ? b : Math.min(a, b));

/** The part of a fact that counts for its miner. */
export type CountedFact = TimedFact &
  Pick<StepFact, 'stepName' | 'minerUid' | 'latencyNanos'> & {
    readonly state: Pick<StateFact, 'transport'>;
    readonly error: Pick<ErrorFact, 'type'> | null;
  };

/** What any fact says, however often it is told: the newest slot, when the miner was first seen. */
export function noticeMiner(fold: MinerFold, fact: CountedFact): MinerFold {
  const at = momentOf(fact);
  const { minerUid } = fact;
  const isNewer = minerUid !== null && (fold.uid === null || compareMoments(at, fold.uid.at) > 0);
  const answered = fact.phase === 'ended' && fact.state.transport === 'success';
  return {
    ...fold,
    uid: isNewer ? { at, value: minerUid } : fold.uid,
    firstSeen: earliest(fold.firstSeen, fact.startedAt),
    lastActive: answered ? latest(fold.lastActive, at[0]) : fold.lastActive,
    updatedAt: latest(fold.updatedAt, at[0]),
  };
}

/** Counts a fact whose log row is new; with `sign` −1 takes away one whose row is no more. */
export function countStep(fold: MinerFold, fact: CountedFact, sign: 1 | -1 = 1): MinerFold {
  const { transport } = fact.state;
  const worked = transport === 'success';
  const latencyMs = worked && fact.latencyNanos !== null ? fact.latencyNanos / 1e6 : null;
  return {
    ...fold,
    hostingSuccesses: fold.hostingSuccesses + (worked ? sign : 0),
    hostingFailures: fold.hostingFailures + (transport === 'failure' ? sign : 0),
    hostingLatency: addToSum(fold.hostingLatency, latencyMs, sign),
    errors: countsAsError(fact.stepName, fact.error?.type ?? null)
      ? countError(fold.errors, fact.error?.type, sign)
      : fold.errors,
  };
}

function countError(errors: MinerFold['errors'], type: ErrorCategory | undefined, sign: 1 | -1) {
  if (type === undefined) return errors;
  const counted = { ...errors, [type]: (errors[type] ?? 0) + sign };
  if (counted[type] === 0) Reflect.deleteProperty(counted, type);
  return counted;
}

/** What one forecast contributes. */
interface Contribution {
  readonly completed: number;
  readonly failed: number;
  readonly forecastScore: number | null;
  readonly completeness: number | null;
  readonly day1Score: number | null;
  readonly leadScores: readonly (number | null)[];
  readonly inferenceTime: number | null;
}

function contributionOf(row: ForecastRow | null): Contribution {
  const finished = row !== null && isFinished(row);
  const completed = finished && row.forecastStatus === 'completed';
  return {
    completed: completed ? 1 : 0,
    failed: finished && !completed ? 1 : 0,
    forecastScore: completed ? row.combinedScore : null,
    completeness: finished ? row.completeness : null,
    day1Score: row?.scoreInitial ?? null,
    leadScores: row?.era5Scores ?? [],
    inferenceTime: row?.inferenceDurationSeconds ?? null,
  };
}

/** Puts what a forecast contributes in the place of what it contributed before. */
export function countForecast(fold: MinerFold, before: ForecastRow | null, after: ForecastRow): MinerFold {
  const [was, is] = [contributionOf(before), contributionOf(after)];
  const leadScore = is.leadScores.reduce(
    (sum, score, lead) => replaceInSum(sum, was.leadScores[lead] ?? null, score),
    fold.leadScore,
  );
  return {
    ...fold,
    completed: fold.completed + is.completed - was.completed,
    failed: fold.failed + is.failed - was.failed,
    forecastScore: replaceInSum(fold.forecastScore, was.forecastScore, is.forecastScore),
    completeness: replaceInSum(fold.completeness, was.completeness, is.completeness),
    day1Score: replaceInSum(fold.day1Score, was.day1Score, is.day1Score),
    leadScore,
    inferenceTime: replaceInSum(fold.inferenceTime, was.inferenceTime, is.inferenceTime),
  };
}

/**
 * Whether the finished forecasts of the miner have to be looked at again after a forecast changed. One counts as soon as
 * its status says so, also when it is a running step that says it, which gives no completion time.
 */
export function changesHistory(before: ForecastRow | null, after: ForecastRow): boolean {
  const outcome = (row: ForecastRow | null) =>
    row === null || !isFinished(row)
      ? null
      : [row.forecastStatus, row.completedAt, row.combinedScore, row.initTime];
  return JSON.stringify(outcome(before)) !== JSON.stringify(outcome(after));
}

const isFinished = ({ forecastStatus }: ForecastRow): boolean =>
  forecastStatus === 'completed' || forecastStatus === 'failed';

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Derives the row of a miner; the rank is given among all miners later. */
export function toMinerStats(
  fold: MinerFold,
  key: Pick<MinerStats, 'validatorId' | 'validatorHotkey' | 'minerHotkey'>,
): Omit<MinerStats, 'minerRank'> {
  const failures = Object.values(fold.errors).reduce((sum, count) => sum + count, 0);
  const rates = Object.entries(fold.errors).map(([type, count]) => [type, count / failures] as const);
  return {
    ...key,
    minerUid: fold.uid?.value ?? null,
    avgForecastScore: meanOf(fold.forecastScore),
    successfulForecasts: fold.completed,
    failedForecasts: fold.failed,
    forecastSuccessRatio: ratio(fold.completed, fold.completed + fold.failed),
    hostingSuccesses: fold.hostingSuccesses,
    hostingFailures: fold.hostingFailures,
    hostReliabilityRatio: ratio(fold.hostingSuccesses, fold.hostingSuccesses + fold.hostingFailures),
    avgHostingLatencyMs: meanOf(fold.hostingLatency),
    avgDay1Score: meanOf(fold.day1Score),
    avgEra5Score: meanOf(fold.leadScore),
    avgEra5Completeness: meanOf(fold.completeness),
    bestForecastScore: fold.history.best,
    worstForecastScore: fold.history.worst,
    scoreStdDev: standardDeviationOf(fold.forecastScore),
    lastSuccessfulForecast: fold.history.lastSuccess,
    lastFailedForecast: fold.history.lastFailure,
    consecutiveSuccesses: fold.history.consecutiveSuccesses,
    consecutiveFailures: fold.history.consecutiveFailures,
    totalInferenceTime: totalOf(fold.inferenceTime),
    avgInferenceTime: meanOf(fold.inferenceTime),
    commonErrors: fold.errors,
    errorRateByType: failures === 0 ? null : Object.fromEntries(rates),
    firstSeen: fold.firstSeen,
    lastActive: fold.lastActive,
    updatedAt: fold.updatedAt,
  };
}
