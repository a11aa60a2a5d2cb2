import { leadScore, levelMean, levelRmse, scoreField, thicknessWeights, type FieldScores } from '#scoring';
import { CategorizedError, type Variable } from '#semconv';
import { checkMetrics, failedComponent, type ComponentScore } from './component-score.ts';
import { examineFields } from './examine-fields.ts';
import { BASE_WEIGHTS, type PlannedField } from './field-plan.ts';
import type { FieldSources } from './fields-at.ts';
import type { FailedField, GatedField } from './gated-field.ts';

/** The score of one lead against ERA5, with its components. */
export interface Era5LeadScore {
  /** 0 to 1; null when a field failed a check, or no metric of any variable is finite. */
  readonly score: number | null;
  /** The first field that failed a check: a lead is scored with all the fields that it has, or not at all. */
  readonly failure: FailedField | null;
  readonly components: readonly ComponentScore[];
}

/**
 * Scores one lead of a forecast against ERA5, field by field. A field that fails a check ends the score but not the
 * reading, so that the components name every bad field of the lead; those that pass still have their scores.
 */
export async function scoreEra5Lead(
  sources: FieldSources,
  planned: readonly PlannedField[],
): Promise<Era5LeadScore> {
  const levelsOf = countLevels(planned);
  const placeOf = (field: PlannedField, startedAt: number) => ({
    variableWeight: BASE_WEIGHTS[field.variable] / (levelsOf.get(field.variable) ?? 1),
    durationMs: performance.now() - startedAt,
  });
  const { latitudes } = sources.truth.store;
  const { results: components, failure } = await examineFields<ComponentScore>(sources, planned, {
    scored: (field, gated, startedAt) => {
      const scored = scoreComponent(field, gated, latitudes);
      return { ...scored, ...placeOf(field, startedAt) };
    },
    failed: (field, failed, startedAt) => failedComponent(field, failed, placeOf(field, startedAt)),
    failsLead: () => true,
  });
  return { score: failure === null ? combine(components) : null, failure, components };
}

/** Metrics of one field. */
function scoreComponent(
  field: PlannedField,
  { fields, coverage }: GatedField,
  latitudes: ArrayLike<number>,
): Omit<ComponentScore, 'variableWeight' | 'durationMs'> {
  const scores = scoreField({ ...fields, latitudes });
  const skill = scores.skillScoreClimatology;
  return {
    field,
    scores,
    skillScore: skill,
    coverage,
    clonePenalty: 0,
    digests: fields.digests,
    ...checkMetrics({ rmse: scores.rmse, acc: scores.acc, skill }),
  };
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

/** @throws the error of the first field that failed a check; `data_coverage` for a lead without any finite metric */
export function requireLeadScore({ score, failure }: Era5LeadScore): number {
  if (failure !== null) throw failure.error;
  if (score !== null) return score;
  throw new CategorizedError('data_coverage', 'No metric of any variable is finite; the lead has no score.');
}
