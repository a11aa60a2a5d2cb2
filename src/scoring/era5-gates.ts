import type { FieldValues } from './field-grid.ts';

/** Share of the truth-finite points at which a forecast must be finite to be scored. */
const MIN_FINITE_COVERAGE = 0.9985;
/** Share below which the store is not trusted at all: it does not hold what its metadata claims. */
const MIN_CREDIBLE_COVERAGE = 0.1;
/** Largest absolute value of any variable, in any unit, that is taken for data. */
const MAX_CREDIBLE_VALUE = 1e12;

/**
 * Share of the points at which the truth has a value that the forecast has one at, too: what a score of them stands for.
 *
 * @returns 0 to 1; null where the truth has no value at all
 */
export function coverageOf(forecast: FieldValues, truth: FieldValues): number | null {
  let known = 0;
  let covered = 0;
  for (let index = 0; index < truth.length; index++) {
    if (!Number.isFinite(truth[index])) continue;
    known++;
    if (Number.isFinite(forecast[index])) covered++;
  }
  return known === 0 ? null : covered / known;
}

/** Error categories that the gates assign. */
export type Era5GateCategory = 'data_coverage' | 'data_extreme';

/** Input of the gates; a subset of `FieldScores`, with the same names. */
export interface Era5GateInput {
  /** Share of the truth-finite points with a finite forecast, 0..1. */
  readonly finiteCoverage: number;
  /** Extremes of the forecast, possibly infinite; null when it has no value at all. */
  readonly forecastMin: number | null;
  readonly forecastMax: number | null;
}

/** Whether a field may be scored. `verificationFailed` is true for an untrusted store, false for one with gaps. */
export type Era5GateResult =
  | { readonly kind: 'passed' }
  | {
      readonly kind: 'rejected';
      readonly category: Era5GateCategory;
      readonly verificationFailed: boolean;
      /** The measured value and the limit that it violates. */
      readonly measured: number;
      readonly limit: number;
    };

/**
 * Measures a forecast for the gates, before any filling of its gaps. Unlike the scores it keeps infinities among the
 * extremes: an infinite value is extreme data, not a missing point.
 *
 * @throws RangeError when both fields differ in length
 */
export function measureForGates(forecast: FieldValues, truth: FieldValues): Era5GateInput {
  if (forecast.length !== truth.length) {
    throw new RangeError(
      `The gates compare fields on one grid, got ${forecast.length} forecast and ${truth.length} truth values.`,
    );
  }
  let withoutTruth = 0;
  let missing = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let index = 0; index < forecast.length; index++) {
    const value = forecast[index] ?? NaN;
    const actual = truth[index] ?? NaN;
    if (value < min) min = value;
    if (value > max) max = value;
    // x - x is 0 for a finite x and NaN otherwise: a finiteness test without a call in the hot loop.
    if (actual - actual !== 0) withoutTruth++;
    else if (value - value !== 0) missing++;
  }
  const truthPoints = forecast.length - withoutTruth;
  const hasValue = min <= max;
  return {
    finiteCoverage: truthPoints === 0 ? 1 : (truthPoints - missing) / truthPoints,
    forecastMin: hasValue ? min : null,
    forecastMax: hasValue ? max : null,
  };
}

/**
 * The data gates of a field before it is scored against ERA5 (domain 4.4): first |value| > 1e12, then finite coverage
 * below 0.1, then below 0.9985. Both limits themselves pass.
 */
export function checkEra5Gates(
  field: Era5GateInput,
  { minFiniteCoverage = MIN_FINITE_COVERAGE }: { readonly minFiniteCoverage?: number } = {},
): Era5GateResult {
  const largest = Math.max(Math.abs(field.forecastMin ?? 0), Math.abs(field.forecastMax ?? 0));
  if (largest > MAX_CREDIBLE_VALUE) {
    return rejected('data_extreme', {
      verificationFailed: true,
      measured: largest,
      limit: MAX_CREDIBLE_VALUE,
    });
  }
  const measured = field.finiteCoverage;
  if (!(measured >= MIN_CREDIBLE_COVERAGE)) {
    return rejected('data_coverage', { verificationFailed: true, measured, limit: MIN_CREDIBLE_COVERAGE });
  }
  if (measured < minFiniteCoverage) {
    return rejected('data_coverage', { verificationFailed: false, measured, limit: minFiniteCoverage });
  }
  return { kind: 'passed' };
}

function rejected(
  category: Era5GateCategory,
  found: { verificationFailed: boolean; measured: number; limit: number },
): Era5GateResult {
  return { kind: 'rejected', category, ...found };
}
