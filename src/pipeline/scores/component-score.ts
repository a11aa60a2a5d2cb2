import { EVENTS, type ComponentScoreAttributeName, type ScoreType } from '#semconv';
import type { FieldScores } from '#scoring';
import type { StepEvent } from '#steps';
import type { PlannedField } from './field-plan.ts';

/** The scores of one field, as the event of a scoring span records them. */
export interface ComponentScore {
  readonly field: PlannedField;
  /** Null when the field could not be scored; `reason` holds the cause. */
  readonly scores: FieldScores | null;
  /** The skill that enters the score: against GFS minus the clone penalty on day one, against climatology for ERA5. */
  readonly skillScore: number | null;
  readonly climatologyCheckPassed?: boolean | null;
  readonly patternCorrelationPassed?: boolean | null;
  readonly clonePenalty: number | null;
  readonly variableWeight: number;
  readonly durationMs: number;
  readonly reason: string | null;
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
    'weather.component.climatology_check_passed': component.climatologyCheckPassed ?? null,
    'weather.component.pattern_correlation_passed': component.patternCorrelationPassed ?? null,
    'weather.component.clone_penalty': component.clonePenalty,
    'weather.component.variable_weight': component.variableWeight,
    'weather.component.calculation_duration_ms': component.durationMs,
    'weather.component.reason': component.reason,
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
    'weather.component.bias': scores.bias,
    'weather.component.mae': scores.mae,
    'weather.component.pattern_correlation': scores.patternCorrelation,
  };
}

/** Names the metrics of a field that are not finite; null when all are. */
export function missingMetrics(values: Readonly<Record<string, number | null>>): string | null {
  const missing = Object.keys(values).filter((name) => values[name] === null);
  return missing.length === 0 ? null : `not finite: ${missing.join(', ')}`;
}
