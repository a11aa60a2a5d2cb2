import { comomentsOfRow, joinComoments, NO_COMOMENTS, weightedCorrelation } from './comoments.ts';
import { gridRows, type GridRow } from './field-grid.ts';
import { scoreField, type FieldScoreInput, type FieldScores } from './field-scores.ts';
import { cellWeights } from './latitude-weights.ts';
import { finiteOrNull } from './mean.ts';
import { skillScore } from './skill-score.ts';

/** Whose definitions the scores follow; docs/scores.md has them side by side. */
export const CONVENTIONS = ['barograph', 'gaia', 'weatherbench2'] as const;
export type Convention = (typeof CONVENTIONS)[number];

type SharedScores = Pick<FieldScores, 'mse' | 'rmse' | 'mae' | 'bias' | 'acc'>;
type SkillScores = Pick<
  FieldScores,
  'skillScoreReference' | 'skillScoreClimatology' | 'plainSkillReference' | 'plainSkillClimatology'
>;

/** The scores that every convention has; null where unknown, with the reason where the convention itself is the reason. */
export interface ConventionScores extends SharedScores, SkillScores {
  readonly reason: string | null;
}

/**
 * Scores a field by the definitions of others, in double precision throughout, with the sums taken point by point: a second
 * implementation, which shares no loop with `scoreField`.
 *
 * @throws RangeError as `scoreField` does
 */
export function scoreByConvention(
  convention: Convention,
  input: FieldScoreInput & { readonly isOnLevels: boolean },
): ConventionScores {
  if (convention === 'gaia') return scoreAsGaia(input);
  if (convention === 'weatherbench2') return scoreAsWeatherBench(input);
  return { ...scoreField(input), reason: null };
}

/** A number for each point of the grid, in double precision; NaN where one of the fields is absent. */
type Points = (index: number) => number;
type Values = ArrayLike<number> | undefined;

const difference =
  (first: Values, second: Values): Points =>
  (index) =>
    (first?.[index] ?? NaN) - (second?.[index] ?? NaN);
const square =
  (points: Points): Points =>
  (index) =>
    points(index) ** 2;

/** sum w x / sum w over the points where x is finite; null without any. */
function weightedMean(rows: readonly GridRow[], points: Points): number | null {
  let sum = 0;
  let total = 0;
  for (const { start, end, weight } of rows) {
    for (let index = start; index < end; index++) {
      const value = points(index);
      if (!Number.isFinite(value)) continue;
      sum += weight * value;
      total += weight;
    }
  }
  return finiteOrNull(sum / total);
}

const root = (mse: number | null): number | null => (mse === null ? null : Math.sqrt(mse));

/** Weighted, centred correlation over the points where both are finite. */
function correlation(rows: readonly GridRow[], x: Points, y: Points): number | null {
  let total = NO_COMOMENTS;
  for (const { start, end, weight } of rows) {
    for (let index = start; index < end; index++) {
      const [shiftX, shiftY] = [x(index), y(index)];
      if (!Number.isFinite(shiftX + shiftY)) continue;
      const pair = comomentsOfRow({ count: 1, shiftX, shiftY, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }, weight);
      total = joinComoments(total, pair);
    }
  }
  return weightedCorrelation(total);
}

/**
 * Gaia (domain 4.2 and 4.4): gaps of the forecast are filled with climatology before anything is measured; the bias of a
 * surface variable is an unweighted mean; each error of a skill has the mask of its own pair of fields, and the skill against
 * a perfect reference is minus infinity, which is told as a reason.
 */
function scoreAsGaia(input: FieldScoreInput & { readonly isOnLevels: boolean }): ConventionScores {
  const { truth, reference, climatology, latitudes, isOnLevels } = input;
  const rows = gridRows({ forecast: input.forecast, truth, reference, climatology }, latitudes);
  const forecast = Float64Array.from(input.forecast, (value, index) =>
    Number.isFinite(value) ? value : (climatology?.[index] ?? NaN),
  );
  const error = difference(forecast, truth);
  const mse = weightedMean(rows, square(error));
  const unweighted = weightedMean(
    rows.map((row) => ({ ...row, weight: 1 })),
    error,
  );
  const correctedMse = weightedMean(rows, (index) => (error(index) - (unweighted ?? NaN)) ** 2);
  const baselineMse = (baseline: Values): number | null =>
    baseline === undefined ? null : weightedMean(rows, square(difference(baseline, truth)));
  const [referenceMse, climatologyMse] = [baselineMse(reference), baselineMse(climatology)];
  const isEndless = [referenceMse, climatologyMse].some((other) => other === 0 && correctedMse !== 0);
  return {
    ...{ mse, rmse: root(mse), mae: weightedMean(rows, (index) => Math.abs(error(index))) },
    bias: isOnLevels ? weightedMean(rows, error) : unweighted,
    acc: correlation(rows, difference(forecast, climatology), difference(truth, climatology)),
    skillScoreReference: skillScore(correctedMse, referenceMse),
    skillScoreClimatology: skillScore(correctedMse, climatologyMse),
    plainSkillReference: skillScore(mse, referenceMse),
    plainSkillClimatology: skillScore(mse, climatologyMse),
    reason: isEndless ? 'the skill against a baseline without error is -Infinity in Gaia' : null,
  };
}

/**
 * WeatherBench 2 with the latitude bounds of WeatherBench-X: w is the area of a cell; the acc is not centred; a field with an
 * absent value has no score. The skill is that of the scorecards of WeatherBench-X, 1 - rmse / rmse of the baseline.
 */
function scoreAsWeatherBench(input: FieldScoreInput): ConventionScores {
  const { forecast, truth, reference, climatology, latitudes } = input;
  const rows = gridRows({ forecast, truth, reference, climatology }, latitudes, cellWeights);
  const absent = Object.entries({ forecast, truth, reference, climatology }).flatMap(([name, field]) => {
    const gaps = field === undefined ? 0 : countGaps(field);
    return gaps === 0 ? [] : [`${gaps} values of the ${name}`];
  });
  const isWhole = (...fields: readonly Values[]): boolean =>
    fields.every((field) => field !== undefined && countGaps(field) === 0);
  const mean = (points: Points, ...fields: readonly Values[]): number | null =>
    isWhole(...fields) ? weightedMean(rows, points) : null;
  const error = difference(forecast, truth);
  const mse = mean(square(error), forecast, truth);
  const skillsAgainst = (baseline: Values): readonly [scorecard: number | null, plain: number | null] => {
    const baselineMse = mean(square(difference(baseline, truth)), baseline, truth);
    return [skillScore(root(mse), root(baselineMse)), skillScore(mse, baselineMse)];
  };
  const [skillScoreReference, plainSkillReference] = skillsAgainst(reference);
  const [skillScoreClimatology, plainSkillClimatology] = skillsAgainst(climatology);
  return {
    ...{ mse, rmse: root(mse), mae: mean((index) => Math.abs(error(index)), forecast, truth) },
    bias: mean(error, forecast, truth),
    acc: isWhole(forecast, truth, climatology) ? uncentredCorrelation(rows, input) : null,
    ...{ skillScoreReference, plainSkillReference, skillScoreClimatology, plainSkillClimatology },
    reason:
      absent.length === 0 ? null : `WeatherBench 2 gives no score with absent values: ${absent.join(', ')}`,
  };
}

/** <a b> / sqrt(<a a> <b b>) of the anomalies a and b; null where either is 0 everywhere. */
function uncentredCorrelation(
  rows: readonly GridRow[],
  { forecast, truth, climatology }: FieldScoreInput,
): number | null {
  const [a, b] = [difference(forecast, climatology), difference(truth, climatology)];
  const products = weightedMean(rows, (index) => a(index) * b(index)) ?? NaN;
  const [squaresA, squaresB] = [weightedMean(rows, square(a)) ?? NaN, weightedMean(rows, square(b)) ?? NaN];
  return finiteOrNull(products / Math.sqrt(squaresA * squaresB));
}

function countGaps(values: ArrayLike<number>): number {
  let gaps = 0;
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) gaps++;
  return gaps;
}
