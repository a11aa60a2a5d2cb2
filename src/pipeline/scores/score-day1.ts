import {
  checkSanity,
  CLONE_THRESHOLDS,
  clonePenalty,
  climatologyBoundsOf,
  day1Score,
  scoreField,
  type Day1Score,
  type Day1Variable,
} from '#scoring';
import { missingMetrics, type ComponentScore } from './component-score.ts';
import { BASE_WEIGHTS, fieldKey, type PlannedField } from './field-plan.ts';
import { createComparedFieldReader, type FieldSources } from './fields-at.ts';
import { gateField, type GatedField } from './gated-field.ts';

/** The score of day one, with its components. */
export interface Day1Result {
  readonly outcome: Day1Score;
  readonly components: readonly ComponentScore[];
  /** Fields that were in another unit, with the conversion that was applied. */
  readonly unitFixes: Readonly<Record<string, string>>;
}

/** One variable of day one: its input to the score, and its recorded component. */
interface Day1Component {
  readonly variable: Day1Variable;
  readonly component: ComponentScore;
  readonly unitFix: string | null;
}

/**
 * Scores day one, field by field. A field that is missing or fails a gate or a sanity check counts 0, because omitting a
 * hard field must not raise a score.
 */
export async function scoreDay1Lead(
  sources: FieldSources,
  {
    present,
    missing,
  }: { readonly present: readonly PlannedField[]; readonly missing: readonly PlannedField[] },
): Promise<Day1Result> {
  const read = createComparedFieldReader(sources);
  const found: Day1Component[] = [];
  for (const field of present) {
    const startedAt = performance.now();
    const gated = gateField(field, await read(field));
    found.push(
      gated.kind === 'rejected'
        ? unscored(field, gated.error.message)
        : scoreComponent(field, gated, { latitudes: sources.truth.store.latitudes, startedAt }),
    );
  }
  found.push(...missing.map((field) => unscored(field, 'the forecast has no such field')));
  return {
    outcome: day1Score(found.map(({ variable }) => variable)),
    components: found.map(({ component }) => component),
    unitFixes: Object.fromEntries(
      found.flatMap(({ component, unitFix }) =>
        unitFix === null ? [] : [[fieldKey(component.field), unitFix]],
      ),
    ),
  };
}

/** Metrics, sanity and clone penalty of one field. */
function scoreComponent(
  field: PlannedField,
  { fields, unitFix }: GatedField,
  { latitudes, startedAt }: { readonly latitudes: ArrayLike<number>; readonly startedAt: number },
): Day1Component {
  const key = fieldKey(field);
  const scores = scoreField({ ...fields, latitudes });
  const sanity = checkSanity(
    fields.reference === undefined
      ? { forecastMin: scores.forecastMin, forecastMax: scores.forecastMax }
      : scores,
    climatologyBoundsOf(key),
  );
  const threshold = CLONE_THRESHOLDS[key];
  const penalty = threshold === undefined ? null : clonePenalty(scores.cloneDistance, threshold);
  const skill = scores.skillScoreReference;
  return {
    unitFix,
    variable: {
      variable: key,
      skill,
      acc: scores.acc,
      clonePenalty: penalty,
      cloneDistance: scores.cloneDistance,
      ...(threshold !== undefined && { threshold }),
      sane: sanity.sane,
    },
    component: {
      field,
      scores,
      skillScore: skill === null ? null : skill - (penalty ?? 0),
      climatologyCheckPassed: sanity.climatologyCheckPassed,
      patternCorrelationPassed: sanity.patternCorrelationPassed,
      clonePenalty: penalty,
      variableWeight: BASE_WEIGHTS[field.variable],
      durationMs: performance.now() - startedAt,
      reason: sanity.sane
        ? missingMetrics({ rmse: scores.rmse, acc: scores.acc, skill })
        : 'failed a sanity check',
    },
  };
}

/** A field without scores, which counts 0, with the reason. */
const unscored = (field: PlannedField, reason: string): Day1Component => ({
  unitFix: null,
  variable: {
    variable: fieldKey(field),
    skill: null,
    acc: null,
    clonePenalty: null,
    cloneDistance: null,
    sane: false,
  },
  component: {
    field,
    scores: null,
    skillScore: null,
    clonePenalty: null,
    variableWeight: BASE_WEIGHTS[field.variable],
    durationMs: 0,
    reason,
  },
});
