import type { GridStore } from '#grids';
import {
  EVENTS,
  PRESSURE_LEVELS_HPA,
  type ComponentScoreAttributeName,
  type FieldCheck,
  type ScoreType,
} from '#semconv';
import { messageOf } from '#semconv/message-of';
import type { FieldScores } from '#scoring';
import type { StepEvent } from '#steps';
import type { FailedField } from './gated-field.ts';
import type { FieldsByPresence, PlannedField } from './field-plan.ts';
import type { FieldDigests } from './fields-at.ts';

/** Surface variables, and those on the isobaric levels: as many fields as a lead has at most. */
const FULL_SET = 69;

/** The scores of one field, or the check that it failed, as the event of a scoring span records them. */
export interface ComponentScore {
  readonly field: PlannedField;
  /** Null when the field could not be scored; `reason` holds the cause. */
  readonly scores: FieldScores | null;
  /** The skill that enters the score: against GFS minus the clone penalty on day one, against climatology for ERA5. */
  readonly skillScore: number | null;
  /** Share of the truth's points with a value at which the forecast has one; absent where the field was not read. */
  readonly coverage?: number;
  readonly climatologyCheckPassed?: boolean | null;
  readonly patternCorrelationPassed?: boolean | null;
  readonly clonePenalty: number | null;
  /** Null for a field that takes no part in the score. */
  readonly variableWeight: number | null;
  readonly durationMs: number;
  readonly failedCheck: FieldCheck | null;
  readonly reason: string | null;
  /** What its fields were read from; absent for a field that was not read. */
  readonly digests?: FieldDigests | undefined;
}

/** The fields that all component scores of a span share. */
export interface ScoredInstant {
  readonly scoreType: ScoreType;
  readonly validTime: Date;
}

type Attributes = Readonly<Partial<Record<ComponentScoreAttributeName, string | number | boolean | null>>>;

/** The span event of one component score. */
export function toComponentEvent(component: ComponentScore, instant: ScoredInstant): StepEvent {
  const { field } = component;
  const attributes: Attributes = {
    'weather.component.score_type': instant.scoreType,
    'weather.component.variable_name': field.variable,
    'weather.component.pressure_level': field.pressureHpa,
    'weather.component.valid_time': instant.validTime.toISOString(),
    ...metricAttributes(component),
    'weather.component.coverage': component.coverage ?? null,
    'weather.component.climatology_check_passed': component.climatologyCheckPassed ?? null,
    'weather.component.pattern_correlation_passed': component.patternCorrelationPassed ?? null,
    'weather.component.clone_penalty': component.clonePenalty,
    'weather.component.variable_weight': component.variableWeight,
    'weather.component.calculation_duration_ms': component.durationMs,
    'weather.component.failed_check': component.failedCheck,
    'weather.component.reason': component.reason,
    ...digestAttributes(component),
  };
  return { name: EVENTS.componentScore, attributes };
}

/** The metrics as attributes; none for a field without scores, because unknown is not 0. */
function metricAttributes({ scores, skillScore }: ComponentScore): Attributes {
  if (scores === null) return {};
  return {
    'weather.component.rmse': scores.rmse,
    'weather.component.mse': scores.mse,
    'weather.component.acc': scores.acc,
    'weather.component.skill_score': skillScore,
    'weather.component.skill_score_gfs': scores.skillScoreReference,
    'weather.component.skill_score_climatology': scores.skillScoreClimatology,
    'weather.component.plain_skill_score_gfs': scores.plainSkillReference,
    'weather.component.plain_skill_score_climatology': scores.plainSkillClimatology,
    'weather.component.bias': scores.bias,
    'weather.component.mae': scores.mae,
    'weather.component.pattern_correlation': scores.patternCorrelation,
  };
}

const digestAttributes = ({ digests = {} }: ComponentScore): Attributes => ({
  'weather.component.forecast_digest': digests.forecast ?? null,
  'weather.component.truth_digest': digests.truth ?? null,
  'weather.component.reference_digest': digests.reference ?? null,
  'weather.component.climatology_digest': digests.climatology ?? null,
});

/** Names the metrics of a field that are not finite. The check of them fails only when none is. */
export function checkMetrics(
  values: Readonly<Record<string, number | null>>,
): Pick<ComponentScore, 'failedCheck' | 'reason'> {
  const names = Object.keys(values);
  const missing = names.filter((name) => values[name] === null);
  return {
    failedCheck: missing.length === names.length ? 'no_finite_metric' : null,
    reason: missing.length === 0 ? null : `not finite: ${missing.join(', ')}`,
  };
}

/** The component of a field that failed a check: no score of it is known. */
export const failedComponent = (
  field: PlannedField,
  { check, error, digests, coverage }: Pick<FailedField, 'check' | 'error' | 'digests' | 'coverage'>,
  { variableWeight, durationMs }: Pick<ComponentScore, 'variableWeight' | 'durationMs'>,
): ComponentScore => ({
  field,
  scores: null,
  skillScore: null,
  ...(coverage !== undefined && { coverage }),
  clonePenalty: null,
  variableWeight,
  durationMs,
  failedCheck: check,
  reason: messageOf(error),
  digests,
});

/** The component of a field that the forecast lacks. */
export function absentComponent(
  forecast: Pick<GridStore, 'variables'>,
  field: PlannedField,
  variableWeight: number | null,
): ComponentScore {
  const hasVariable = forecast.variables.some(({ name }) => name === field.variable);
  const check = hasVariable ? 'missing_level' : 'missing_variable';
  return failedComponent(
    field,
    { check, error: 'the forecast has no such field' },
    { variableWeight, durationMs: 0 },
  );
}

/**
 * The components of the fields that an ERA5 lead is scored without. With the fields that are there they are at most the
 * full set, whatever further levels the truth has: a span keeps a limited number of events, and drops the oldest.
 */
export function absentComponents(
  forecast: Pick<GridStore, 'variables'>,
  { present, missing }: FieldsByPresence,
): readonly ComponentScore[] {
  const levels: readonly (number | null)[] = [null, ...PRESSURE_LEVELS_HPA];
  return missing
    .filter(({ pressureHpa }) => levels.includes(pressureHpa))
    .slice(0, Math.max(0, FULL_SET - present.length))
    .map((field) => absentComponent(forecast, field, null));
}
