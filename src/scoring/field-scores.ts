import { weightedCorrelation } from './comoments.ts';
import { measureAnomalies } from './field-anomalies.ts';
import { measureErrors, measureSkill, type FieldErrors } from './field-errors.ts';
import { type FieldValues, gridRows } from './field-grid.ts';
import { measureReference } from './field-reference.ts';
import { finiteOrNull } from './mean.ts';
import { meanOfSquares } from './mean-square.ts';
import { meanSquareAround } from './moments.ts';
import { sumRows, type RowSums } from './sum-rows.ts';

export type { FieldValues } from './field-grid.ts';

/** A forecast field with truth, reference and climatology: all on one grid, in one unit. */
export interface FieldScoreInput {
  readonly forecast: FieldValues;
  readonly truth: FieldValues;
  /** Reference forecast (GFS): the baseline of the skill, and what a copy is detected against. */
  readonly reference?: FieldValues;
  /** The mean state for the valid time. */
  readonly climatology?: FieldValues;
  /** Degrees, one per row; values are row-major (latitude, longitude). */
  readonly latitudes: ArrayLike<number>;
}

/**
 * The scores of one field (domain 4.2), null where unknown: no point to compare, no reference, no climatology, or a
 * result that is not finite. mse and its kin are in the squared unit of the variable, rmse, mae and bias in its unit.
 */
export interface FieldScores {
  /** sum w (f - o)^2 / sum w. */
  readonly mse: number | null;
  readonly rmse: number | null;
  readonly mae: number | null;
  /** sum w (f - o) / sum w: positive where the forecast is too high. */
  readonly bias: number | null;
  /** Weighted, centred correlation of (f - c) and (o - c); null where either is constant. */
  readonly acc: number | null;
  /**
   * Skill of the bias-corrected forecast against the reference forecast (GFS): the network's skill, to which a constant
   * error costs nothing. Over the points that forecast, truth and reference share.
   */
  readonly skillScoreReference: number | null;
  readonly skillScoreClimatology: number | null;
  /** 1 - mse / mse(reference, truth) over the same points, no mean removed: what the field calls skill. */
  readonly plainSkillReference: number | null;
  readonly plainSkillClimatology: number | null;
  /** mse(reference, truth). */
  readonly referenceMse: number | null;
  /** mse(climatology, truth). */
  readonly climatologyMse: number | null;
  /** mse(forecast, reference): how far the forecast is from being a copy. */
  readonly cloneDistance: number | null;
  /** Weighted, centred correlation of forecast and reference; null where either is constant. */
  readonly patternCorrelation: number | null;
  /** Extremes of the finite forecast values. */
  readonly forecastMin: number | null;
  readonly forecastMax: number | null;
  /** Share of the points with a finite truth that have a finite forecast, 0..1; 1 when the truth itself has none. */
  readonly finiteCoverage: number;
}

/**
 * Scores a field against truth, reference and climatology, with w = cos(latitude) throughout (domain 4.2).
 *
 * A point that is not finite in one of the fields that a score compares is left out of that score, in its numerator
 * and in its weights: both errors of a skill are taken over the points that forecast, truth and baseline share. For the
 * skill, f' = f - mean(f - o), a mean in which every point counts the same.
 *
 * Rows without gaps are summed by a SIMD kernel in one pass over all fields, two points at a time. A row with a gap is
 * summed point by point, as are fields in double precision. Nothing is allocated per point.
 *
 * @throws RangeError when the fields differ in length or do not divide into the rows given by `latitudes`
 */
export function scoreField(input: FieldScoreInput): FieldScores {
  const { forecast, truth, reference, climatology, latitudes } = input;
  const rows = gridRows({ forecast, truth, reference, climatology }, latitudes);
  const summed = sumRows(input, rows);
  const measured = measureErrors(input, summed.rest, summed.errors);
  return { ...errorScores(measured), ...referenceScores(input, summed), ...climatologyScores(input, summed) };
}

function errorScores(measured: FieldErrors) {
  const { errors, absoluteSum, sharedPoints, truthOnlyPoints } = measured;
  const mse = finiteOrNull(meanSquareAround(errors, 0));
  const truthPoints = sharedPoints + truthOnlyPoints;
  return {
    mse,
    rmse: mse === null ? null : Math.sqrt(mse),
    mae: finiteOrNull(absoluteSum / errors.weight),
    bias: errors.weight > 0 ? finiteOrNull(errors.mean) : null,
    forecastMin: finiteOrNull(measured.forecastMin),
    forecastMax: finiteOrNull(measured.forecastMax),
    finiteCoverage: truthPoints === 0 ? 1 : sharedPoints / truthPoints,
  };
}

function referenceScores(input: FieldScoreInput, summed: RowSums) {
  const { forecast, truth, reference } = input;
  if (reference === undefined) {
    return {
      ...{ referenceMse: null, skillScoreReference: null, plainSkillReference: null },
      ...{ cloneDistance: null, patternCorrelation: null },
    };
  }
  const measured = measureReference({ forecast, truth, reference }, summed.rest, summed.reference);
  const { referenceError: baselineError } = summed.reference;
  const { errors } = summed;
  const skills = measureSkill({ forecast, truth, baseline: reference }, summed.rest, {
    errors,
    baselineError,
  });
  return {
    referenceMse: meanOfSquares(measured.referenceError),
    skillScoreReference: skills.skill,
    plainSkillReference: skills.plainSkill,
    cloneDistance: meanOfSquares(measured.distance),
    patternCorrelation: weightedCorrelation(measured.patterns),
  };
}

function climatologyScores(input: FieldScoreInput, summed: RowSums) {
  const { forecast, truth, climatology } = input;
  if (climatology === undefined)
    return { climatologyMse: null, skillScoreClimatology: null, plainSkillClimatology: null, acc: null };
  const measured = measureAnomalies({ forecast, truth, climatology }, summed.rest, summed.anomalies);
  const { climatologyError: baselineError } = summed.anomalies;
  const { errors } = summed;
  const skills = measureSkill({ forecast, truth, baseline: climatology }, summed.rest, {
    errors,
    baselineError,
  });
  return {
    climatologyMse: meanOfSquares(measured.climatologyError),
    skillScoreClimatology: skills.skill,
    plainSkillClimatology: skills.plainSkill,
    acc: weightedCorrelation(measured.anomalies),
  };
}
