import {
  checkSanity,
  CLONE_THRESHOLDS,
  clonePenalty,
  climatologyBoundsOf,
  day1Score,
  scoreField,
  type Day1Score,
  type Day1Variable,
  type SanityResult,
} from '#scoring';
import type { FieldCheck } from '#semconv';
import { absentComponent, checkMetrics, failedComponent, type ComponentScore } from './component-score.ts';
import { examineFields } from './examine-fields.ts';
import { BASE_WEIGHTS, fieldKey, type FieldsByPresence, type PlannedField } from './field-plan.ts';
import type { FieldSources } from './fields-at.ts';
import type { FailedField, GatedField } from './gated-field.ts';

/** The score of day one, with its components. */
export interface Day1Result {
  readonly outcome: Day1Score;
  /** The first field that could not be read as it was frozen, which leaves day one without a score. */
  readonly failure: FailedField | null;
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
  { present, missing }: FieldsByPresence,
): Promise<Day1Result> {
  const { latitudes } = sources.truth.store;
  const { results, failure } = await examineFields<Day1Component>(sources, present, {
    scored: (field, gated, startedAt) => scoreComponent(field, gated, { latitudes, startedAt }),
    failed: (field, failed, startedAt) =>
      unscored(
        failedComponent(field, failed, {
          variableWeight: BASE_WEIGHTS[field.variable],
          durationMs: performance.now() - startedAt,
        }),
      ),
    failsLead: ({ kind }) => kind === 'unread',
  });
  const absent = missing.map((field) =>
    unscored(absentComponent(sources.forecast, field, BASE_WEIGHTS[field.variable])),
  );
  const found = [...results, ...absent];
  return {
    outcome: day1Score(found.map(({ variable }) => variable)),
    failure,
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
  { fields, unitFix, coverage }: GatedField,
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
      coverage,
      climatologyCheckPassed: sanity.climatologyCheckPassed,
      patternCorrelationPassed: sanity.patternCorrelationPassed,
      clonePenalty: penalty,
      variableWeight: BASE_WEIGHTS[field.variable],
      durationMs: performance.now() - startedAt,
      digests: fields.digests,
      ...(sanity.sane
        ? checkMetrics({ rmse: scores.rmse, acc: scores.acc, skill })
        : { failedCheck: failedSanityCheck(sanity), reason: 'failed a sanity check' }),
    },
  };
}

/** The first of the sanity checks that failed. */
const failedSanityCheck = ({ climatologyCheckPassed }: SanityResult): FieldCheck =>
  climatologyCheckPassed === false ? 'climatology_bounds' : 'pattern_correlation';

/** A field without scores, which counts 0. */
const unscored = (component: ComponentScore): Day1Component => ({
  unitFix: null,
  variable: {
    variable: fieldKey(component.field),
    skill: null,
    acc: null,
    clonePenalty: null,
    cloneDistance: null,
    sane: false,
  },
  component,
});
