import { leadScore, levelMean, levelRmse, scoreField, thicknessWeights, type FieldScores } from '#scoring';
import { CategorizedError, type Variable } from '#semconv';
import { missingMetrics, type ComponentScore } from './component-score.ts';
import { BASE_WEIGHTS, type PlannedField } from './field-plan.ts';
import { createComparedFieldReader, type FieldSources } from './fields-at.ts';
import { gateField } from './gated-field.ts';

/** The score of one lead against ERA5, with its components. */
export interface Era5LeadScore {
  /** 0 to 1; null when no metric of any variable is finite. */
  readonly score: number | null;
  readonly components: readonly ComponentScore[];
}

/**
 * Scores one lead of a forecast against ERA5, field by field.
 *
 * @throws CategorizedError `data_coverage` or `data_extreme` at the first field that fails a gate: a lead is scored
 * with all its fields or not at all
 */
export async function scoreEra5Lead(
  sources: FieldSources,
  planned: readonly PlannedField[],
): Promise<Era5LeadScore> {
  const read = createComparedFieldReader(sources);
  const levelsOf = countLevels(planned);
  const components: ComponentScore[] = [];
  for (const field of planned) {
    const startedAt = performance.now();
    const gated = gateField(field, await read(field));
    if (gated.kind === 'rejected') throw gated.error;
    const scores = scoreField({ ...gated.fields, latitudes: sources.truth.store.latitudes });
    components.push({
      field,
      scores,
      skillScore: scores.skillScoreClimatology,
      clonePenalty: 0,
      variableWeight: BASE_WEIGHTS[field.variable] / (levelsOf.get(field.variable) ?? 1),
      durationMs: performance.now() - startedAt,
      reason: missingMetrics({ rmse: scores.rmse, acc: scores.acc, skill: scores.skillScoreClimatology }),
    });
  }
  return { score: combine(components), components };
}

function countLevels(planned: readonly PlannedField[]): ReadonlyMap<Variable, number> {
  const levels = new Map<Variable, number>();
  for (const { variable } of planned) levels.set(variable, (levels.get(variable) ?? 0) + 1);
  return levels;
}

/** Averages the levels of each variable, weighted by thickness; then all variables have equal weight. */
function combine(components: readonly ComponentScore[]): number | null {
  const variables = new Set(components.map(({ field }) => field.variable));
  const values = [...variables].map((variable) =>
    combineLevels(components.filter(({ field }) => field.variable === variable)),
  );
  return leadScore({
    skills: values.map(({ skill }) => skill),
    accs: values.map(({ acc }) => acc),
    rmses: values.map(({ rmse }) => rmse),
    rmseReferences: values.map(({ climatologyRmse }) => climatologyRmse),
  });
}

/** Skill and ACC as weighted means over the levels, RMSE as the root of the weighted mean of MSE. */
function combineLevels(components: readonly ComponentScore[]) {
  const weights = weightsOf(components.map(({ field }) => field));
  const metric = (name: keyof FieldScores): (number | null)[] =>
    components.map(({ scores }) => scores?.[name] ?? null);
  return {
    skill: levelMean(metric('skillScoreClimatology'), weights),
    acc: levelMean(metric('acc'), weights),
    rmse: levelRmse(metric('mse'), weights),
    climatologyRmse: levelRmse(metric('climatologyMse'), weights),
  };
}

/** Thickness weights of the levels; 1 for a variable at the surface or on a single level. */
function weightsOf(fields: readonly PlannedField[]): ArrayLike<number> {
  const levels = fields.flatMap(({ pressureHpa }) => (pressureHpa === null ? [] : [pressureHpa]));
  return levels.length < 2 ? fields.map(() => 1) : thicknessWeights(levels);
}

/** @throws CategorizedError `data_coverage` for a lead without any finite metric */
export function requireLeadScore({ score }: Era5LeadScore): number {
  if (score !== null) return score;
  throw new CategorizedError('data_coverage', 'No metric of any variable is finite; the lead has no score.');
}
