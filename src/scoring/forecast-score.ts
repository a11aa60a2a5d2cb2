import { clampToUnit } from './skill-score.ts';
import { finiteOrNull, finiteValues } from './mean.ts';

/** Weight of the leads scored against ERA5 and of passing day one. */
const ERA5_WEIGHT = 0.95;
const DAY1_WEIGHT = 0.05;
/** The score of day one from which it counts as passed. */
const DAY1_PASS_SCORE = 0.1;

/** Combined score of a forecast's leads, with numerator and counts, so that another denominator can be applied. */
export interface CombinedScore {
  /** sum / expectedLeads, 0..1. */
  readonly score: number;
  /** scoredLeads / expectedLeads, above 0, at most 1. */
  readonly completeness: number;
  readonly sum: number;
  readonly scoredLeads: number;
  readonly expectedLeads: number;
}

/** Scores of one miner's forecast so far. */
export interface ForecastScoreInput {
  /** Scores of the leads, in any order; null or not finite where not scored. */
  readonly leadScores: readonly (number | null)[];
  /** How many leads the forecast will have when it is complete. */
  readonly expectedLeads: number;
  /** Score of day one; null when unknown, which counts as not passed. */
  readonly day1Score: number | null;
}

/**
 * Combined score of a forecast's leads (domain 4.5 steps 3 and 5, policy "missing leads count 0"). Each score is
 * clamped to [0, 1] after its test for finiteness. More scored leads than expected ones raise the expected number to
 * theirs.
 *
 * @returns null when no lead has a score
 * @throws RangeError when `expectedLeads` is not a positive integer
 */
export function combinedScore(
  leadScores: readonly (number | null)[],
  expectedLeads: number,
): CombinedScore | null {
  if (!Number.isInteger(expectedLeads) || expectedLeads < 1) {
    throw new RangeError(
      `A forecast cannot expect ${expectedLeads} leads; give the configured number, an integer of at least 1.`,
    );
  }
  const scores = finiteValues(leadScores).map(clampToUnit);
  if (scores.length === 0) return null;
  const sum = scores.reduce((total, score) => total + score, 0);
  const leads = Math.max(expectedLeads, scores.length);
  return {
    score: meanOf(scores, sum, leads),
    completeness: scores.length / leads,
    sum,
    scoredLeads: scores.length,
    expectedLeads: leads,
  };
}

/** The mean over the leads, a missing one counting 0; rounding must not lift it above the best lead or below the worst. */
function meanOf(scores: readonly number[], sum: number, leads: number): number {
  const worst = scores.length < leads ? 0 : Math.min(...scores);
  return Math.min(Math.max(sum / leads, worst), Math.max(...scores));
}

/** Whether day one counts as passed: a score of at least 0.1. Unknown is not passed. */
export function isDay1Passed(day1Score: number | null): boolean {
  return (finiteOrNull(day1Score) ?? -Infinity) >= DAY1_PASS_SCORE;
}

/**
 * Score of a forecast, 0..1 (domain 4.5 step 4): 0.95 combined score + 0.05 if day one passed.
 *
 * @returns null when neither a lead nor day one has a score
 * @throws RangeError when `expectedLeads` is not a positive integer
 */
export function overallForecastScore(input: ForecastScoreInput): number | null {
  const combined = combinedScore(input.leadScores, input.expectedLeads);
  if (combined === null && finiteOrNull(input.day1Score) === null) return null;
  const day1 = isDay1Passed(input.day1Score) ? DAY1_WEIGHT : 0;
  return clampToUnit(ERA5_WEIGHT * (combined?.score ?? 0) + day1);
}
