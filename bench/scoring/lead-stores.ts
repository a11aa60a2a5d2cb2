import { join } from 'node:path';
import { type Grid, type GridDataset, writeGridStore } from '../../src/grids/index.ts';
import type { Variable } from '../../src/semconv/index.ts';
import { drawWaves, type PlanetaryWave, wavePattern } from '../../src/world/planetary-waves.ts';
import { createRandom, deriveSeed } from '../../src/world/index.ts';

/** The levels of ERA5 that forecasts are scored on, hPa: with the four surface variables 69 fields. */
export const LEVELS_HPA = [50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000] as const;
export const LEAD_TIME = new Date('2026-11-02T00:00:00Z');

/** Typical value and size of the weather of each variable, in its unit. */
const VARIABLES: readonly (readonly [name: Variable, onLevels: boolean, mean: number, size: number])[] = [
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
/** What no wave describes, as a share of the weather: it fills the last digits as a model does. */
const NOISE = 0.02;

/** How far a store is from the truth, as a share of the weather; climatology has no weather at all. */
const STORES = { truth: 0, forecast: 0.3, reference: 0.4, climatology: null } as const;
export type LeadStore = keyof typeof STORES;

/** Paths of the stores that one lead is scored with. */
export type LeadStores = Readonly<Record<LeadStore, string>>;

/** A globe from pole to pole with so many degrees between neighbours. */
export function globe(stepDegrees: number): Grid {
  const rows = Math.round(180 / stepDegrees) + 1;
  return {
    latitudes: Float64Array.from({ length: rows }, (_, row) => 90 - row * stepDegrees),
    longitudes: Float64Array.from({ length: 2 * (rows - 1) }, (_, column) => column * stepDegrees),
  };
}

/** Writes truth, climatology, a reference and a forecast of one instant, one chunk for each field. */
export async function writeLeadStores(directory: string, grid: Grid): Promise<LeadStores> {
  const paths = Object.fromEntries(
    Object.keys(STORES).map((name) => [name, join(directory, `${name}.zarr`)]),
  ) as LeadStores;
  for (const name of Object.keys(STORES) as LeadStore[]) {
    await writeGridStore(paths[name], leadDataset(name, grid), { zarrFormat: 2 });
  }
  return paths;
}

function leadDataset(store: LeadStore, grid: Grid): GridDataset {
  return {
    ...grid,
    validTimes: [LEAD_TIME],
    pressureLevelsHpa: LEVELS_HPA,
    variables: VARIABLES.map(([name, onLevels, mean, size]) => ({
      name,
      units: null,
      onLevels,
      field: ({ pressureHpa }) => leadField({ store, name, pressureHpa, mean, size }, grid),
    })),
  };
}

interface LeadField {
  readonly store: LeadStore;
  readonly name: Variable;
  readonly pressureHpa: number | null;
  readonly mean: number;
  readonly size: number;
}

function leadField({ store, name, pressureHpa, mean, size }: LeadField, grid: Grid): Float32Array {
  const error = STORES[store];
  const waves = (purpose: string): readonly PlanetaryWave[] =>
    drawWaves(createRandom(deriveSeed(5, name, pressureHpa ?? 0, purpose)));
  const weather = error === null ? null : wavePattern(waves('weather'), grid, { hours: 0 });
  const wrong = error === null || error === 0 ? null : wavePattern(waves(store), grid, { hours: 0 });
  const random = createRandom(deriveSeed(6, name, pressureHpa ?? 0, store));
  const width = grid.longitudes.length;
  return Float32Array.from({ length: grid.latitudes.length * width }, (_, index) => {
    const latitude = grid.latitudes[Math.floor(index / width)] ?? 0;
    const zonal = mean * (1 - 0.1 * Math.sin((latitude * Math.PI) / 180) ** 2);
    const noise = NOISE * (random() - 0.5);
    return zonal + size * ((weather?.[index] ?? 0) + (error ?? 0) * (wrong?.[index] ?? 0) + noise);
  });
}
