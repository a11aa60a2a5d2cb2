import type { Grid } from '#grids';
import type { Variable } from '#semconv';
import { createRandom, deriveSeed } from '#world';
import { drawWaves, type PlanetaryWave, wavePattern } from '#world/planetary-waves';

/** A variable with its typical value and the size of its weather, in its unit. */
type LeadVariable = readonly [name: Variable, onLevels: boolean, mean: number, size: number];

/** With 13 levels these are 69 fields. */
export const LEAD_VARIABLES: readonly LeadVariable[] = [
  ['2t', false, 285, 6],
  ['msl', false, 101_200, 900],
  ['10u', false, 0, 5],
  ['10v', false, 0, 5],
  ['t', true, 250, 5],
  ['u', true, 8, 12],
  ['v', true, 0, 10],
  ['q', true, 0.004, 0.001],
  ['z', true, 54_000, 1200],
];
/** Noise as a share of the weather: it fills the low-order digits as a model does, so that compression is realistic. */
const NOISE = 0.02;

/** Error of a field as a share of the weather; climatology has no weather at all. */
const ERRORS = { truth: 0, forecast: 0.3, reference: 0.4, climatology: null } as const;
export type LeadRole = keyof typeof ERRORS;
export const LEAD_ROLES = Object.keys(ERRORS) as readonly LeadRole[];

/** A global grid from pole to pole; `stepDegrees` between neighbours. */
export function globe(stepDegrees: number): Grid {
  const rows = Math.round(180 / stepDegrees) + 1;
  return {
    latitudes: Float64Array.from({ length: rows }, (_, row) => 90 - row * stepDegrees),
    longitudes: Float64Array.from({ length: 2 * (rows - 1) }, (_, column) => column * stepDegrees),
  };
}

/** Which field to make. */
export interface LeadField {
  readonly role: LeadRole;
  readonly name: Variable;
  readonly pressureHpa: number | null;
}

/** Weather of planetary waves on a mean that falls towards the poles; the same for the same place and role. */
export function leadField({ role, name, pressureHpa }: LeadField, grid: Grid): Float32Array {
  const error = ERRORS[role];
  const [, , mean = 0, size = 1] = LEAD_VARIABLES.find(([known]) => known === name) ?? [];
  const waves = (purpose: string): readonly PlanetaryWave[] =>
    drawWaves(createRandom(deriveSeed(5, name, pressureHpa ?? 0, purpose)));
  const weather = error === null ? null : wavePattern(waves('weather'), grid, { hours: 0 });
  const wrong = error === null || error === 0 ? null : wavePattern(waves(role), grid, { hours: 0 });
  const random = createRandom(deriveSeed(6, name, pressureHpa ?? 0, role));
  const width = grid.longitudes.length;
  return Float32Array.from({ length: grid.latitudes.length * width }, (_, index) => {
    const latitude = grid.latitudes[Math.floor(index / width)] ?? 0;
    const zonal = mean * (1 - 0.1 * Math.sin((latitude * Math.PI) / 180) ** 2);
    const noise = NOISE * (random() - 0.5);
    return zonal + size * ((weather?.[index] ?? 0) + (error ?? 0) * (wrong?.[index] ?? 0) + noise);
  });
}
