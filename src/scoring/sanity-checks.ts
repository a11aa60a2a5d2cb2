/** Values that a variable can have on Earth; an absent side is not limited. */
export interface ValueBounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Climatology bounds of the day-one variables and of every humidity level (domain 4.3 step 4), by variable with level,
 * in its unit: K, Pa, m2/s2, kg/kg. `q` stands for all levels of specific humidity, which is never negative.
 */
const CLIMATOLOGY_BOUNDS: Readonly<Record<string, ValueBounds>> = {
  '2t': { min: 180, max: 340 },
  msl: { min: 90_000, max: 110_000 },
  t850: { min: 220, max: 320 },
  z500: { min: 45_000, max: 60_000 },
  q: { min: 0 },
};

/** Weighted correlation with the reference forecast below which a field is implausible. */
const MIN_PATTERN_CORRELATION = 0.3;

/** Input of the checks. An absent `patternCorrelation` was not measured; null was measured and is undefined. */
export interface SanityInput {
  readonly forecastMin: number | null;
  readonly forecastMax: number | null;
  readonly patternCorrelation?: number | null;
}

/** The checks of one field. Null means that a check was not made, which is neither passed nor failed. */
export interface SanityResult {
  readonly climatologyCheckPassed: boolean | null;
  readonly climatologyMin: number | null;
  readonly climatologyMax: number | null;
  readonly patternCorrelation: number | null;
  readonly patternCorrelationPassed: boolean | null;
  /** Whether no check failed. */
  readonly sane: boolean;
}

/**
 * The bounds of a variable with level (`2t`, `t850`, `q700`), or null for a variable without bounds.
 *
 * @param bounds lookup table; default `CLIMATOLOGY_BOUNDS`
 */
export function climatologyBoundsOf(
  variableKey: string,
  bounds: Readonly<Record<string, ValueBounds>> = CLIMATOLOGY_BOUNDS,
): ValueBounds | null {
  const key = /^q\d*$/.test(variableKey) && !Object.hasOwn(bounds, variableKey) ? 'q' : variableKey;
  return Object.hasOwn(bounds, key) ? (bounds[key] ?? null) : null;
}

/**
 * Checks a forecast field against climatology bounds and the pattern of the reference forecast (domain 4.3 step 4).
 *
 * A field without a finite value fails its bounds. A correlation that is undefined (null: a constant field) fails like
 * one that is too low.
 *
 * @param bounds from `climatologyBoundsOf`; null leaves the bounds unchecked
 */
export function checkSanity(
  field: SanityInput,
  bounds: ValueBounds | null,
  { minPatternCorrelation = MIN_PATTERN_CORRELATION }: { readonly minPatternCorrelation?: number } = {},
): SanityResult {
  const { forecastMin, forecastMax, patternCorrelation } = field;
  const climatologyCheckPassed = bounds === null ? null : isWithin(bounds, forecastMin, forecastMax);
  const patternCorrelationPassed =
    patternCorrelation === undefined
      ? null
      : patternCorrelation !== null && patternCorrelation >= minPatternCorrelation;
  return {
    climatologyCheckPassed,
    climatologyMin: forecastMin,
    climatologyMax: forecastMax,
    patternCorrelation: patternCorrelation ?? null,
    patternCorrelationPassed,
    sane: climatologyCheckPassed !== false && patternCorrelationPassed !== false,
  };
}

function isWithin(bounds: ValueBounds, lowest: number | null, highest: number | null): boolean {
  if (lowest === null || highest === null) return false;
  return lowest >= (bounds.min ?? -Infinity) && highest <= (bounds.max ?? Infinity);
}
