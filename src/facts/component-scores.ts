import { COMPONENT_SCORE_ATTRIBUTES, EVENTS } from '../semconv/index.ts';
import type { Adjustments } from './clean-value.ts';
import { microsOfIso } from './instants.ts';
import type { ObservedEvent } from './observed-span.ts';
import { readAttributes, type AttributeProblem, type AttributeValues } from './read-attributes.ts';
import type { ComponentScoreFact, EpochMicros, MetricSum, ScoreSums } from './step-fact.ts';

type ScoreValues = AttributeValues<typeof COMPONENT_SCORE_ATTRIBUTES>;

interface ScoredSpan {
  readonly leadHours: number | null;
  readonly completedAt: EpochMicros;
}

const REQUIRED = [
  'weather.component.score_type',
  'weather.component.variable_name',
  'weather.component.valid_time',
] as const;

function missingOf(values: ScoreValues, span: ScoredSpan): AttributeProblem[] {
  const missing: string[] = REQUIRED.filter((name) => values[name] == null);
  if (span.leadHours === null) missing.push('weather.lead_hours');
  return missing.map((attribute) => ({ attribute, message: `a component score needs ${attribute}` }));
}

function toComponentScore(values: ScoreValues, span: ScoredSpan): ComponentScoreFact {
  const metric = <Name extends keyof ScoreValues>(name: Name) => values[name] ?? null;
  return {
    scoreType: values['weather.component.score_type'] ?? 'era5',
    leadHours: span.leadHours ?? 0,
    validTime: microsOfIso(values['weather.component.valid_time'] ?? ''),
    variableName: values['weather.component.variable_name'] ?? '',
    pressureLevel: metric('weather.component.pressure_level'),
    rmse: metric('weather.component.rmse'),
    mse: metric('weather.component.mse'),
    acc: metric('weather.component.acc'),
    skillScore: metric('weather.component.skill_score'),
    skillScoreGfs: metric('weather.component.skill_score_gfs'),
    skillScoreClimatology: metric('weather.component.skill_score_climatology'),
    bias: metric('weather.component.bias'),
    mae: metric('weather.component.mae'),
    climatologyCheckPassed: metric('weather.component.climatology_check_passed'),
    patternCorrelation: metric('weather.component.pattern_correlation'),
    patternCorrelationPassed: metric('weather.component.pattern_correlation_passed'),
    clonePenalty: metric('weather.component.clone_penalty'),
    variableWeight: metric('weather.component.variable_weight'),
    calculationDurationMs: metric('weather.component.calculation_duration_ms'),
    reason: metric('weather.component.reason'),
    calculatedAt: span.completedAt,
  };
}

/** The component scores that the events of a scoring span tell, in the order of the events. */
export function readComponentScores(
  events: readonly ObservedEvent[],
  span: ScoredSpan,
  adjustments: Adjustments,
): { readonly scores: readonly ComponentScoreFact[]; readonly problems: readonly AttributeProblem[] } {
  const scores: ComponentScoreFact[] = [];
  const problems: AttributeProblem[] = [];
  for (const event of events) {
    if (event.name !== EVENTS.componentScore) continue;
    const read = readAttributes(event.attributes, COMPONENT_SCORE_ATTRIBUTES, adjustments);
    const wrong = [...read.problems, ...missingOf(read.values, span)];
    if (wrong.length === 0) scores.push(toComponentScore(read.values, span));
    problems.push(...wrong);
  }
  return { scores, problems };
}

function sumOf(values: readonly (number | null)[]): MetricSum {
  const finite = values.filter((value) => value !== null);
  return { sum: finite.reduce((sum, value) => sum + value, 0), count: finite.length };
}

/** What the scores of one span add up to; null when it has none. */
export function sumScores(scores: readonly ComponentScoreFact[]): ScoreSums | null {
  const first = scores[0];
  if (first === undefined) return null;
  return {
    scoreType: first.scoreType,
    rmse: sumOf(scores.map((score) => score.rmse)),
    acc: sumOf(scores.map((score) => score.acc)),
    skillScore: sumOf(scores.map((score) => score.skillScore)),
  };
}
