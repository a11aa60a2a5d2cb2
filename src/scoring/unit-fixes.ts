import type { FieldValues } from './field-grid.ts';

/** Standard gravity, m/s2: geopotential per metre of geopotential height. */
const STANDARD_GRAVITY = 9.80665;
/** 0 degrees Celsius in kelvin. */
const CELSIUS_ZERO_KELVIN = 273.15;
/** Pascal in a hectopascal. */
const PASCAL_PER_HECTOPASCAL = 100;

/** Conversion that was applied to a field in the wrong unit. */
export type UnitFix =
  'height_metres_to_geopotential' | 'temperature_celsius_to_kelvin' | 'pressure_hectopascal_to_pascal';

/** A field in the unit of its variable, and the conversion that was needed; null for none. */
export interface UnitFixResult {
  readonly values: FieldValues;
  readonly fix: UnitFix | null;
}

interface UnitRule {
  readonly fix: UnitFix;
  /** Applies where mean(forecast) < forecastBelow while mean(truth) > truthAbove. */
  readonly forecastBelow: number;
  readonly truthAbove: number;
  readonly convert: (value: number) => number;
}

const TEMPERATURE_RULE: UnitRule = {
  fix: 'temperature_celsius_to_kelvin',
  forecastBelow: 100,
  truthAbove: 200,
  convert: (value) => value + CELSIUS_ZERO_KELVIN,
};

const UNIT_RULES = new Map<string, UnitRule>([
  ['2t', TEMPERATURE_RULE],
  ['t', TEMPERATURE_RULE],
  [
    'z',
    {
      fix: 'height_metres_to_geopotential',
      forecastBelow: 10_000,
      truthAbove: 40_000,
      convert: (value) => value * STANDARD_GRAVITY,
    },
  ],
  [
    'msl',
    {
      fix: 'pressure_hectopascal_to_pascal',
      forecastBelow: 2000,
      truthAbove: 50_000,
      convert: (value) => value * PASCAL_PER_HECTOPASCAL,
    },
  ],
]);

/**
 * Converts a miner's field from a commonly confused unit (domain 4.3 step 1): z mean below 10,000 while the truth's is
 * above 40,000 is metres; 2t or t below 100 while above 200 is Celsius; msl below 2,000 while above 50,000 is
 * hectopascal.
 *
 * The means are unweighted, of the finite values; a field without any is returned unchanged. The input is never
 * modified: `values` is the input itself where `fix` is null, otherwise a new array of the same kind.
 *
 * @param variable short name without level; a variable without a rule (winds, humidity) is never converted
 */
export function fixUnits(variable: string, forecast: FieldValues, truth: FieldValues): UnitFixResult {
  const rule = UNIT_RULES.get(variable);
  if (rule === undefined) return { values: forecast, fix: null };
  const misread = fieldMean(forecast) < rule.forecastBelow && fieldMean(truth) > rule.truthAbove;
  return misread ? { values: forecast.map(rule.convert), fix: rule.fix } : { values: forecast, fix: null };
}

/** NaN when no value is finite, which is neither above nor below anything. */
function fieldMean(values: FieldValues): number {
  let sum = 0;
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value - value !== 0) continue;
    sum += value;
    count++;
  }
  return sum / count;
}
