import { COMPONENT_SCORE_ATTRIBUTES, EVENTS, REQUIRED_ATTRIBUTES, type StepStatus } from '#semconv';
import type { Adjustments } from './clean-value.ts';
import { microsOfIso } from './instants.ts';
import type { ObservedEvent } from './observed-span.ts';
import { readAttributes, type AttributeProblem, type AttributeValues } from './read-attributes.ts';
import { MAX_KEY_LENGTH } from './step-identity.ts';
import type { ComponentScoreFact, EpochMicros, MetricSum, ScoreSums } from './step-fact.ts';

type ScoreValues = AttributeValues<typeof COMPONENT_SCORE_ATTRIBUTES>;

interface ScoredSpan {
  readonly leadHours: number | null;
  readonly completedAt: EpochMicros;
}

const DIGESTS = [
  'weather.component.forecast_digest',
  'weather.component.truth_digest',
  'weather.component.reference_digest',
  'weather.component.climatology_digest',
] as const satisfies readonly (keyof ScoreValues)[];
const SHA256 = /^[0-9a-f]{64}$/;

const MAX_INT32 = 2 ** 31 - 1;

/** Checked here: parts of the key, beyond what the key can hold. */
function badKeys(values: ScoreValues): readonly AttributeProblem[] {
  const variable = values['weather.component.variable_name'] ?? '';
  const level = values['weather.component.pressure_level'] ?? 0;
  const problems: AttributeProblem[] = [];
  if (variable.length > MAX_KEY_LENGTH) {
    const message = `weather.component.variable_name has ${variable.length} characters or more; allowed: ${MAX_KEY_LENGTH}`;
    problems.push({ attribute: 'weather.component.variable_name', message });
  }
  if (Math.abs(level) > MAX_INT32) {
    const message = `weather.component.pressure_level is ${level}; allowed: int of 32 bits`;
    problems.push({ attribute: 'weather.component.pressure_level', message });
  }
  return problems;
}

/** Checked here: a pattern in the schema would make every digest of every field pass zod. */
const badDigests = (values: ScoreValues): readonly AttributeProblem[] =>
  DIGESTS.filter((name) => values[name] != null && !SHA256.test(values[name])).map((attribute) => ({
    attribute,
    message: `${attribute} is ${JSON.stringify(values[attribute]?.slice(0, 80))}; allowed: a SHA-256 of 64 lower-case hex digits`,
  }));

function missingOf(values: ScoreValues, span: ScoredSpan): readonly AttributeProblem[] {
  const missing: string[] = REQUIRED_ATTRIBUTES.componentScore.filter((name) => values[name] == null);
  if (span.leadHours === null) missing.push('weather.lead_hours');
  return missing.map((attribute) => ({ attribute, message: `a component score needs ${attribute}` }));
}

function toComponentScore(values: ScoreValues, span: ScoredSpan): ComponentScoreFact {
  return {
    scoreType: values['weather.component.score_type'] ?? 'era5',
    leadHours: span.leadHours ?? 0,
    validTime: microsOfIso(values['weather.component.valid_time'] ?? ''),
    variableName: values['weather.component.variable_name'] ?? '',
    pressureLevel: values['weather.component.pressure_level'] ?? null,
    rmse: values['weather.component.rmse'] ?? null,
    mse: values['weather.component.mse'] ?? null,
    acc: values['weather.component.acc'] ?? null,
    skillScore: values['weather.component.skill_score'] ?? null,
    skillScoreGfs: values['weather.component.skill_score_gfs'] ?? null,
    skillScoreClimatology: values['weather.component.skill_score_climatology'] ?? null,
    plainSkillScoreGfs: values['weather.component.plain_skill_score_gfs'] ?? null,
    plainSkillScoreClimatology: values['weather.component.plain_skill_score_climatology'] ?? null,
    coverage: values['weather.component.coverage'] ?? null,
    bias: values['weather.component.bias'] ?? null,
    mae: values['weather.component.mae'] ?? null,
    climatologyCheckPassed: values['weather.component.climatology_check_passed'] ?? null,
    patternCorrelation: values['weather.component.pattern_correlation'] ?? null,
    patternCorrelationPassed: values['weather.component.pattern_correlation_passed'] ?? null,
    clonePenalty: values['weather.component.clone_penalty'] ?? null,
    variableWeight: values['weather.component.variable_weight'] ?? null,
    calculationDurationMs: values['weather.component.calculation_duration_ms'] ?? null,
    failedCheck: values['weather.component.failed_check'] ?? null,
    reason: values['weather.component.reason'] ?? null,
    forecastDigest: values['weather.component.forecast_digest'] ?? null,
    truthDigest: values['weather.component.truth_digest'] ?? null,
    referenceDigest: values['weather.component.reference_digest'] ?? null,
    climatologyDigest: values['weather.component.climatology_digest'] ?? null,
    calculatedAt: span.completedAt,
  };
}

/** The component scores of a scoring span's events, in the order of the events. */
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
    const wrong = [...missingOf(read.values, span), ...badKeys(read.values), ...badDigests(read.values)];
    if (read.problems.length + wrong.length === 0) scores.push(toComponentScore(read.values, span));
    else problems.push(...read.problems, ...wrong);
  }
  return { scores, problems };
}

type Metric = 'rmse' | 'acc' | 'skillScore';

function sumOf(scores: readonly ComponentScoreFact[], metric: Metric): MetricSum {
  let sum = 0;
  let count = 0;
  for (const score of scores) {
    const value = score[metric];
    if (value === null) continue;
    sum += value;
    count += 1;
  }
  return { sum, count };
}

/**
 * Sums the scores of one span; null when it has none. Those of a span that did not succeed are never summed: a lead
 * without a score must not enter the averages of its forecast by the fields of it that passed their checks.
 */
export function sumScores(scores: readonly ComponentScoreFact[], status: StepStatus): ScoreSums | null {
  const first = scores[0];
  if (first === undefined || status !== 'succeeded') return null;
  return {
    scoreType: first.scoreType,
    rmse: sumOf(scores, 'rmse'),
    acc: sumOf(scores, 'acc'),
    skillScore: sumOf(scores, 'skillScore'),
  };
}
