import { clampToUnit } from './skill-score.ts';
import { finiteMean, finiteOrNull, finiteValues } from './mean.ts';

/** Weights of the three parts when all are known. */
const LEAD_WEIGHTS = { skill: 0.6, acc: 0.3, rmse: 0.1 } as const;
/** Weights of skill and correlation when no RMSE is known. */
const LEAD_WEIGHTS_WITHOUT_RMSE = { skill: 0.6, acc: 0.4, rmse: 0 } as const;

/** The metrics of all variables at one lead; null and NaN entries are unknown and left out. */
export interface LeadMetrics {
  /** Skill against climatology or reference. */
  readonly skills: readonly (number | null)[];
  /** Anomaly correlations, -1..1. */
  readonly accs: readonly (number | null)[];
  /** Root mean square errors, each in the unit of its variable. */
  readonly rmses: readonly (number | null)[];
  /** For each of `rmses` the RMSE, in the same unit, that earns one half: that of the reference forecast. */
  readonly rmseReferences?: readonly (number | null)[];
}

/** The three parts of a lead's score, each 0..1, null where nothing is known. */
export interface LeadParts {
  readonly skillNorm: number | null;
  readonly accNorm: number | null;
  readonly rmseNorm: number | null;
}

/**
 * The parts of a lead's score (domain 4.5 step 1): mean of the skills clamped to [0, 1], mean of (acc + 1) / 2, and mean
 * of 1 / (1 + rmse / reference).
 *
 * With `rmseReferences` each RMSE meets a reference of its own unit, and one whose reference is unknown is left out.
 * Without, all meet the upper median of the RMSEs, which only makes sense for a single unit. A reference of 0 or less
 * counts as a ratio of 1.
 *
 * @throws RangeError when `rmseReferences` and `rmses` differ in length
 */
export function leadParts({ skills, accs, rmses, rmseReferences }: LeadMetrics): LeadParts {
  const references = rmseReferences ?? rmses.map(() => upperMedian(finiteValues(rmses)));
  if (references.length !== rmses.length) {
    throw new RangeError(
      `Each RMSE needs its own reference, got ${rmses.length} RMSEs and ${references.length} references; give null for an unknown one.`,
    );
  }
  return {
    skillNorm: finiteMean(finiteValues(skills).map(clampToUnit)),
    accNorm: finiteMean(finiteValues(accs).map((acc) => (acc + 1) / 2)),
    rmseNorm: finiteMean(rmses.map((rmse, index) => rmseTerm(rmse, references[index]))),
  };
}

/**
 * Score of one lead, 0..1 (domain 4.5 step 2): 0.6 skill + 0.3 acc + 0.1 rmse; 0.6 skill + 0.4 acc without RMSE; a part
 * that stands alone counts as it is; for another missing part the weights are rescaled to sum to 1.
 *
 * @returns null when nothing is known, which is not a score of 0
 */
export function leadScore(metrics: LeadMetrics): number | null {
  const { skillNorm, accNorm, rmseNorm } = leadParts(metrics);
  const weights = rmseNorm === null ? LEAD_WEIGHTS_WITHOUT_RMSE : LEAD_WEIGHTS;
  let sum = 0;
  let weight = 0;
  for (const [value, share] of [
    [skillNorm, weights.skill],
    [accNorm, weights.acc],
    [rmseNorm, weights.rmse],
  ] as const) {
    if (value === null) continue;
    sum += share * value;
    weight += share;
  }
  const score = finiteOrNull(sum / weight);
  return score === null ? null : clampToUnit(score);
}

function rmseTerm(rmse: number | null, reference: number | null | undefined): number | null {
  const value = finiteOrNull(rmse);
  const scale = finiteOrNull(reference);
  if (value === null || scale === null) return null;
  return 1 / (1 + (scale > 0 ? value / scale : 1));
}

function upperMedian(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
