import type { MinerStats } from '#facts/miner-stats';
import { meanOf, meanWithin, standardDeviationOf, totalOf } from './exact-sum.ts';
import type { MinerFold } from './miner-fold.ts';

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** The average that ranks a miner. It never leaves the worst and the best score, which stand beside it. */
export const averageForecastScore = ({ forecastScore, history }: MinerFold): number | null =>
  meanWithin(forecastScore, history.worst, history.best);

/** Derives the row of a miner, except for its rank, which depends on all miners. */
export function toMinerStats(
  fold: MinerFold,
  key: Pick<MinerStats, 'validatorId' | 'validatorHotkey' | 'minerHotkey'>,
): Omit<MinerStats, 'minerRank'> {
  const failures = Object.values(fold.errors).reduce((sum, count) => sum + count, 0);
  const rates = Object.entries(fold.errors).map(([type, count]) => [type, count / failures] as const);
  return {
    ...key,
    minerUid: fold.uid?.value ?? null,
    isSelected: fold.selected === true,
    avgForecastScore: averageForecastScore(fold),
    successfulForecasts: fold.completed,
    failedForecasts: fold.failed,
    excusedForecasts: fold.excused ?? 0,
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
