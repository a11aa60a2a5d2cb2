import { finiteMean, finiteOrNull } from './mean.ts';

/** Weight of skill (alpha) and of anomaly correlation (beta) in the score of day one. */
const DAY1_SKILL_WEIGHT = 0.6;
const DAY1_ACC_WEIGHT = 0.4;
/** A distance below this share of the clone threshold clamps the score, whatever the penalty. */
const CLONE_CLAMP_FRACTION = 0.5;
/** The most that a forecast with a copied variable can score. */
const CLONE_CLAMP_SCORE = 0.05;

/** Metrics of one variable at the lead of day one. */
export interface Day1Variable {
  /** Variable with level, for example `z500`. */
  readonly variable: string;
  /** Bias-corrected skill against the reference forecast, before the penalty; null when unknown. */
  readonly skill: number | null;
  /** Anomaly correlation, -1..1; null when unknown. */
  readonly acc: number | null;
  /** Deducted from the skill; null when unknown, which deducts nothing. */
  readonly clonePenalty: number | null;
  /** Weighted mse(forecast, reference); null when unknown. */
  readonly cloneDistance: number | null;
  /** Clone threshold in the same squared unit; absent for a variable without one. */
  readonly threshold?: number;
  /** Whether no sanity check failed. */
  readonly sane: boolean;
}

/** The score of day one, or the reason why there is none. 0 is a score. */
export type Day1Score =
  | {
      readonly kind: 'scored';
      /** 0..1. */
      readonly score: number;
      /** Whether a copied variable limited the score. */
      readonly clamped: boolean;
      /** False when a variable failed a sanity check, lacks a metric, or resembles the reference too much. */
      readonly qcPassed: boolean;
    }
  | { readonly kind: 'unscorable'; readonly reason: 'no_variables' | 'no_finite_metric' };

/**
 * Score of day one (domain 4.3): 0.6 mean(max(0, skill - penalty)) + 0.4 mean((acc + 1) / 2) over the variables, at
 * most 0.05 when a variable with a threshold D has a penalty above 0 or a distance below 0.5 D.
 *
 * A variable that failed a sanity check counts 0 in both means: failing must never raise a score. A metric that a sane
 * variable lacks (null or not finite) is left out of its mean; a mean of nothing counts 0, unless both are, which is
 * `unscorable`.
 */
export function day1Score(variables: readonly Day1Variable[]): Day1Score {
  if (variables.length === 0) return { kind: 'unscorable', reason: 'no_variables' };
  const skill = finiteMean(variables.map(skillTerm));
  const acc = finiteMean(variables.map(accTerm));
  if (skill === null && acc === null) return { kind: 'unscorable', reason: 'no_finite_metric' };
  const clamped = variables.some(isCopied);
  const score = DAY1_SKILL_WEIGHT * (skill ?? 0) + DAY1_ACC_WEIGHT * (acc ?? 0);
  return {
    kind: 'scored',
    score: clamped ? Math.min(score, CLONE_CLAMP_SCORE) : score,
    clamped,
    qcPassed: !clamped && variables.every(isComplete),
  };
}

/** Whether a variable resembles the reference so much that the whole score is limited. */
export function isCopied({ threshold, cloneDistance, clonePenalty }: Day1Variable): boolean {
  if (threshold === undefined) return false;
  const distance = finiteOrNull(cloneDistance);
  return (clonePenalty ?? 0) > 0 || (distance !== null && distance < CLONE_CLAMP_FRACTION * threshold);
}

function isComplete({ sane, skill, acc }: Day1Variable): boolean {
  return sane && finiteOrNull(skill) !== null && finiteOrNull(acc) !== null;
}

function skillTerm({ sane, skill, clonePenalty }: Day1Variable): number | null {
  if (!sane) return 0;
  const known = finiteOrNull(skill);
  return known === null ? null : Math.max(0, known - (finiteOrNull(clonePenalty) ?? 0));
}

function accTerm({ sane, acc }: Day1Variable): number | null {
  if (!sane) return 0;
  const known = finiteOrNull(acc);
  return known === null ? null : (known + 1) / 2;
}
