import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';
import { ERA5_LEAD_HOURS, EVENTS, PRESSURE_LEVELS_HPA, VARIABLES } from '#semconv';
import { initTimeOf, runOfMiners } from '../miner-run.ts';

const HOUR_MILLIS = 3_600_000;
const SURFACE: readonly string[] = ['2t', 'msl', '10u', '10v'];

/** The 69 fields that are scored at a lead: each variable at its levels. */
export const SCORED_FIELDS = VARIABLES.flatMap((variable): { variable: string; levelHpa: number | null }[] =>
  SURFACE.includes(variable)
    ? [{ variable, levelHpa: null }]
    : PRESSURE_LEVELS_HPA.map((levelHpa) => ({ variable, levelHpa })),
);

/** The ERA5 scorings of a run: for each miner one span a lead, each with the scores of all fields. */
export function era5Spans(run: number, miners: number): readonly ObservedSpan[] {
  return runOfMiners(run, miners)
    .filter(({ attributes }) => attributes['weather.step.name'] === 'era5')
    .map((span, index) => ({ ...span, events: [...span.events, ...scoresOf(span, run, index)] }));
}

function scoresOf(
  { attributes, endTimeUnixNano }: ObservedSpan,
  run: number,
  index: number,
): ObservedEvent[] {
  const leadHours = Number(attributes['weather.lead_hours'] ?? ERA5_LEAD_HOURS[0]);
  const validTime = new Date(Date.parse(initTimeOf(run)) + leadHours * HOUR_MILLIS).toISOString();
  return SCORED_FIELDS.map(({ variable, levelHpa }, field) => ({
    name: EVENTS.componentScore,
    timeUnixNano: endTimeUnixNano ?? 0n,
    attributes: {
      'weather.component.score_type': 'era5',
      'weather.component.variable_name': variable,
      ...(levelHpa === null ? {} : { 'weather.component.pressure_level': levelHpa }),
      'weather.component.valid_time': validTime,
      ...metricsOf(index * SCORED_FIELDS.length + field),
    },
  }));
}

/** Every field of a real lead has these; truth, reference and climatology are those of all miners. */
function digestsOf(seed: number): ObservedEvent['attributes'] {
  const digest = (what: number): string => what.toString(16).padStart(64, '9f2c11d0a4b7');
  const field = seed % SCORED_FIELDS.length;
  return {
    'weather.component.forecast_digest': digest(seed),
    'weather.component.truth_digest': digest(field),
    'weather.component.reference_digest': digest(field + 1e6),
    'weather.component.climatology_digest': digest(field + 2e6),
  };
}

/** Numbers with all digits, as real scores have. */
function metricsOf(seed: number): ObservedEvent['attributes'] {
  const wave = (frequency: number): number => (Math.sin(seed * frequency) + 1) / 2;
  const rmse = 0.5 + 3 * wave(0.37);
  return {
    ...digestsOf(seed),
    'weather.component.rmse': rmse,
    'weather.component.mse': rmse * rmse,
    'weather.component.acc': 0.6 + 0.4 * wave(0.71),
    'weather.component.skill_score': wave(0.53),
    'weather.component.skill_score_gfs': wave(0.91) - 0.5,
    'weather.component.skill_score_climatology': wave(0.53),
    'weather.component.plain_skill_score_climatology': wave(0.53) - 0.1,
    'weather.component.coverage': 1,
    'weather.component.bias': wave(1.3) - 0.5,
    'weather.component.mae': rmse * 0.8,
    'weather.component.pattern_correlation': 0.7 + 0.3 * wave(0.23),
    'weather.component.clone_penalty': 0,
    'weather.component.variable_weight': 0.025,
    'weather.component.calculation_duration_ms': 5 + wave(0.11),
  };
}
