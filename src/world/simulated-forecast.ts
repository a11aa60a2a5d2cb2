import { type GridDatasetVariable, type GridStore, hasTime, writeGridStore, type ZarrFormat } from '#grids';
import { createFieldCorruption } from './field-corruption.ts';
import { drawWaves, wavePattern } from './planetary-waves.ts';
import { createRandom, deriveSeed } from './seeded-random.ts';

const MILLIS_PER_HOUR = 3_600_000;

export interface SimulatedForecastOptions {
  readonly truth: GridStore;
  readonly climatology: GridStore;
  /** T0. */
  readonly initTime: Date;
  /** Hours after T0; a lead for which truth or climatology has no field is left out. */
  readonly leads: readonly number[];
  /** From 0, useless within days, to 1, the best simulated forecast. */
  readonly quality: number;
  /** The same options give the same bytes. */
  readonly seed: number;
  readonly zarrFormat: ZarrFormat;
  /** `nan` makes a part of the values of some fields NaN. Default `none`. */
  readonly corruption?: 'none' | 'nan';
  /** Copy this forecast value by value, as a copying miner does. */
  readonly copyOfReference?: GridStore;
}

/**
 * Creates the files of a miner's forecast, by path relative to the store's root.
 *
 * forecast = climatology + rho (truth - climatology) + sqrt(1 - rho^2) s noise, where rho falls with the lead from 1
 * to 0, s is the size of (truth - climatology) in that field, and the noise is smooth with a variance of 1. Its
 * correlation with the truth's anomaly is therefore about rho.
 *
 * @throws RangeError for a quality outside 0..1, or when no lead is left.
 */
export async function makeSimulatedForecast(
  options: SimulatedForecastOptions,
): Promise<Map<string, Uint8Array>> {
  const { truth, climatology, initTime, copyOfReference, zarrFormat } = options;
  if (!(options.quality >= 0 && options.quality <= 1)) {
    throw new RangeError(`quality is ${String(options.quality)}; 0 to 1 is allowed.`);
  }
  const sources = copyOfReference === undefined ? [truth, climatology] : [copyOfReference];
  const validTimes = options.leads
    .map((lead) => new Date(initTime.getTime() + lead * MILLIS_PER_HOUR))
    .filter((time) => sources.every((store) => hasTime(store, time)));
  if (validTimes.length === 0) {
    throw new RangeError(
      `None of the leads ${options.leads.join(', ')} h is in the stores that a forecast is made of.`,
    );
  }
  const [first = truth] = sources;
  const pressureLevelsHpa = sharedLevels(sources);
  const files = new Map<string, Uint8Array>();
  const dataset = {
    latitudes: first.latitudes,
    longitudes: first.longitudes,
    validTimes,
    pressureLevelsHpa,
    variables: sharedVariables(sources, options, pressureLevelsHpa.length > 0),
  };
  await writeGridStore(files, dataset, { zarrFormat });
  return files;
}

/** Variables that all sources have in the same form: at the surface or on levels. */
function sharedVariables(
  sources: readonly GridStore[],
  options: SimulatedForecastOptions,
  hasLevels: boolean,
): GridDatasetVariable[] {
  const corrupt = createFieldCorruption(options.corruption ?? 'none', options.seed);
  const [first] = sources;
  return (first?.variables ?? [])
    .map(({ name, units, pressureLevelsHpa }) => ({ name, units, onLevels: pressureLevelsHpa !== null }))
    .filter(({ name, onLevels }) =>
      sources.every((store) =>
        store.variables.some(
          (other) => other.name === name && (other.pressureLevelsHpa !== null) === onLevels,
        ),
      ),
    )
    .filter(({ onLevels }) => hasLevels || !onLevels)
    .map((variable) => ({
      ...variable,
      field: async (place) => corrupt(await forecastField({ ...place, variable: variable.name }, options)),
    }));
}

/** In the order of the first source. */
function sharedLevels(sources: readonly GridStore[]): readonly number[] {
  const [first = [], ...others] = sources.map(
    (store) =>
      store.variables.find(({ pressureLevelsHpa }) => pressureLevelsHpa !== null)?.pressureLevelsHpa ?? [],
  );
  return first.filter((level) => others.every((levels) => levels.includes(level)));
}

type Request = Parameters<GridStore['readField']>[0];

/** The formula of a forecast, for one field. */
async function forecastField(request: Request, options: SimulatedForecastOptions): Promise<Float32Array> {
  const { truth, climatology, copyOfReference, initTime, quality, seed } = options;
  if (copyOfReference !== undefined) return Float32Array.from(await copyOfReference.readField(request));
  const [observed, mean] = await Promise.all([truth.readField(request), climatology.readField(request)]);
  const leadHours = (request.validTime.getTime() - initTime.getTime()) / MILLIS_PER_HOUR;
  const waves = drawWaves(createRandom(deriveSeed(seed, request.variable, request.pressureHpa ?? 'surface')));
  const noise = wavePattern(waves, truth, { hours: leadHours });
  const rho = correlationAt(leadHours, quality);
  const scale = (Math.sqrt(1 - rho * rho) * differenceSize(observed, mean)) / rootMeanSquare(noise);
  return observed.map((value, index) => {
    const average = mean[index] ?? Number.NaN;
    const predicted = average + rho * (value - average) + scale * (noise[index] ?? 0);
    return request.variable === 'q' ? Math.max(0, predicted) : predicted;
  });
}

/** rho = exp(-(lead / tau)^2 / 2), tau from 40 h at quality 0 to 280 h at quality 1. */
function correlationAt(leadHours: number, quality: number): number {
  const tau = 40 + 240 * quality;
  return Math.exp(-((leadHours / tau) ** 2) / 2);
}

/** Root mean square of (observed - mean), in the variable's unit. */
function differenceSize(observed: Float32Array, mean: Float32Array): number {
  return rootMeanSquare(Float64Array.from(observed, (value, index) => value - (mean[index] ?? Number.NaN)));
}

/** Of the finite values; NaN when there is none. */
function rootMeanSquare(values: Float64Array): number {
  const finite = values.filter(Number.isFinite);
  return Math.sqrt(finite.reduce((sum, value) => sum + value * value, 0) / finite.length);
}
