import { join } from 'node:path';
import { type Grid, type GridDataset, type GridTarget, writeGridStore } from '#grids';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS, type Variable } from '#semconv';
import { climateField, type FieldPlace, weatherField } from './atmosphere.ts';
import { WORLD_LEVELS_HPA, type WorldLevel } from './mean-state.ts';
import { drawWaves, type PlanetaryWave } from './planetary-waves.ts';
import { createRandom, deriveSeed } from './seeded-random.ts';

const MILLIS_PER_HOUR = 3_600_000;
const GRID_STEP_DEGREES = 6;
/** Error of an analysis as a share of the weather. */
const ANALYSIS_ERROR = 0.04;

/** The leads for which the world has fields, hours after T0. */
export const WORLD_LEAD_HOURS: readonly number[] = [DAY1_LEAD_HOURS, ...ERA5_LEAD_HOURS];

const WORLD_VARIABLES: readonly { name: Variable; units: string; onLevels: boolean }[] = [
  { name: '2t', units: 'K', onLevels: false },
  { name: 'msl', units: 'Pa', onLevels: false },
  { name: '10u', units: 'm s-1', onLevels: false },
  { name: '10v', units: 'm s-1', onLevels: false },
  { name: 't', units: 'K', onLevels: true },
  { name: 'u', units: 'm s-1', onLevels: true },
  { name: 'v', units: 'm s-1', onLevels: true },
  { name: 'q', units: 'kg kg-1', onLevels: true },
  { name: 'z', units: 'm2 s-2', onLevels: true },
];

/** Inputs that determine a world. */
export interface WorldOptions {
  /** T0. */
  readonly initTime: Date;
  /** The same seed and T0 give the same bytes. */
  readonly seed: number;
}

export interface DemonstrationWorldOptions extends WorldOptions {
  /** Where the stores are created. */
  readonly directory: string;
}

/** The stores of a world, each in a form that can be opened. */
interface World<Store> {
  readonly truth: Store;
  /** A forecast in GFS's place: the truth with an error that grows. */
  readonly reference: Store;
  /** The mean state at every valid time. */
  readonly climatology: Store;
  /** The truth with a small error, at the lead of day one only. */
  readonly analysis: Store;
}

/** The stores of a world, as local paths. */
export type DemonstrationWorld = World<string>;
/** The stores of a world, as files in memory. */
export type WorldInMemory = World<ReadonlyMap<string, Uint8Array>>;

/** Writes a small round world with weather that travels, so that the whole pipeline can run on real stores. */
export async function makeDemonstrationWorld({
  directory,
  ...options
}: DemonstrationWorldOptions): Promise<DemonstrationWorld> {
  const pathOf = (name: string): string => join(directory, `${name}.zarr`);
  const paths = {
    truth: pathOf('truth'),
    reference: pathOf('reference'),
    climatology: pathOf('climatology'),
    analysis: pathOf('analysis'),
  };
  await writeWorld(options, paths);
  return paths;
}

/** Makes the same world without a file. */
export async function makeWorldInMemory(options: WorldOptions): Promise<WorldInMemory> {
  const stores = {
    truth: new Map<string, Uint8Array>(),
    reference: new Map<string, Uint8Array>(),
    climatology: new Map<string, Uint8Array>(),
    analysis: new Map<string, Uint8Array>(),
  };
  await writeWorld(options, stores);
  return stores;
}

async function writeWorld({ initTime, seed }: WorldOptions, targets: World<GridTarget>): Promise<void> {
  const wavesFor = (purpose: string): PlanetaryWave[] => drawWaves(createRandom(deriveSeed(seed, purpose)));
  const weather = { added: memoize(weatherOf(wavesFor('weather'))), size: () => 1 };
  const forecastError = { added: weatherOf(wavesFor('reference error')), size: referenceError };
  const analysisError = { added: weatherOf(wavesFor('analysis error')), size: () => ANALYSIS_ERROR };
  const meanState = memoize(({ place, validTime }) => climateField(place, WORLD_GRID, validTime));
  const stores: readonly [
    name: keyof World<GridTarget>,
    leads: readonly number[],
    layers: readonly Layer[],
  ][] = [
    ['truth', WORLD_LEAD_HOURS, [weather]],
    ['reference', WORLD_LEAD_HOURS, [weather, forecastError]],
    ['climatology', WORLD_LEAD_HOURS, []],
    ['analysis', [DAY1_LEAD_HOURS], [weather, analysisError]],
  ];
  for (const [name, leads, layers] of stores) {
    const dataset = worldDataset({ initTime, leads, meanState, layers });
    await writeGridStore(targets[name], dataset, { zarrFormat: 2 });
  }
}

/** One field of the world. */
interface FieldMoment {
  readonly place: FieldPlace;
  readonly validTime: Date;
  readonly leadHours: number;
}

type FieldSource = (moment: FieldMoment) => Float64Array;

const weatherOf =
  (waves: readonly PlanetaryWave[]): FieldSource =>
  ({ place, leadHours: hours }) =>
    weatherField(place, WORLD_GRID, { waves, hours });

/** Memoizes fields, which several stores share. The returned array is shared: callers must not write to it. */
function memoize(source: FieldSource): FieldSource {
  const cache = new Map<string, Float64Array>();
  return (moment) => {
    const { place, leadHours } = moment;
    const key = `${place.variable} ${place.level ?? ''} ${leadHours}`;
    const field = cache.get(key) ?? source(moment);
    cache.set(key, field);
    return field;
  };
}

/** Weather that is added to the mean state. */
interface Layer {
  readonly added: FieldSource;
  /** Share of full strength at a lead. */
  readonly size: (leadHours: number) => number;
}

/**
 * Error growth of a good forecast: a correlation with the truth of about 0.96 after a day, 0.85 after five, 0.65 after
 * ten.
 */
function referenceError(leadHours: number): number {
  return 0.25 + 0.93 * (leadHours / 240) ** 1.3;
}

interface DatasetParts {
  readonly initTime: Date;
  readonly leads: readonly number[];
  readonly meanState: FieldSource;
  readonly layers: readonly Layer[];
}

/** The mean state with layers of weather on it; humidity is clamped at zero. */
function worldDataset({ initTime, leads, meanState, layers }: DatasetParts): GridDataset {
  return {
    ...WORLD_GRID,
    validTimes: leads.map((lead) => new Date(initTime.getTime() + lead * MILLIS_PER_HOUR)),
    pressureLevelsHpa: WORLD_LEVELS_HPA,
    variables: WORLD_VARIABLES.map((variable) => ({
      ...variable,
      field: ({ validTime, pressureHpa }) => {
        const place: FieldPlace = { variable: variable.name, level: pressureHpa as WorldLevel | null };
        const leadHours = (validTime.getTime() - initTime.getTime()) / MILLIS_PER_HOUR;
        const moment = { place, validTime, leadHours };
        const field = meanState(moment).slice();
        for (const { added, size } of layers) {
          const weather = added(moment);
          const share = size(leadHours);
          for (let index = 0; index < field.length; index += 1)
            field[index] = (field[index] ?? 0) + share * (weather[index] ?? 0);
        }
        if (variable.name === 'q') return new Float32Array(field.map((value) => Math.max(0, value)));
        return new Float32Array(field);
      },
    })),
  };
}

/** 31 latitudes from north to south and 60 longitudes from Greenwich eastward. */
const WORLD_GRID: Grid = {
  latitudes: Float64Array.from({ length: 31 }, (_, row) => 90 - row * GRID_STEP_DEGREES),
  longitudes: Float64Array.from({ length: 60 }, (_, column) => column * GRID_STEP_DEGREES),
};
