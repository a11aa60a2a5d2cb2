import { startFleet, type Fleet, type FleetOptions, type Profile, type SimulatedMiner } from '#fleet';
import type { GridStore } from '#grids';
import { makeSimulatedForecast } from '#world';
import { serializeByKey } from './serialize-by-key.ts';
import { findStores, readStoreFiles } from './stores.ts';

/** How long simulated miners are waited for, milliseconds: they answer at once, unless they let a request hang. */
export const SIMULATION_TIMEOUTS = { initiateFetch: 5000, poll: 5000, token: 5000 };
/** How long a hanging request is held, as a part of a real minute: for longer than it is waited for. */
export const FLEET_DELAY_FACTOR = 0.1;
/** Where simulated miners are found, as a pattern of SQL's `like`. */
export const SIMULATED_MINERS_AT = 'http://127.0.0.1:%/m/%';
/** Miners that never hand in a forecast. */
export const WITHOUT_FORECAST: readonly Profile[] = ['rejecting', 'offline', 'failing'];

/** What simulated miners are made from. */
export interface SimulatedMinersOptions {
  readonly count: number;
  readonly seed: number;
  readonly initTime: Date;
  /** Day one and ERA5, hours. */
  readonly leads: readonly number[];
  readonly stores: {
    readonly truth: GridStore;
    readonly climatology: GridStore;
    readonly reference: GridStore;
  };
  /** A directory of Zarr stores to serve instead of made forecasts; every miner is then an honest one. */
  readonly forecasts?: string | undefined;
}

/**
 * Starts the miners: real HTTP servers in this process. Their forecasts are begun at once, those first that are handed
 * in first, so that all miners answer in time although they share one machine.
 */
export async function startSimulatedMiners(options: SimulatedMinersOptions): Promise<Fleet> {
  const { count, seed, initTime } = options;
  const fleet = { count, seed, initTime, delayFactor: FLEET_DELAY_FACTOR };
  if (options.forecasts !== undefined) return startServing(fleet, options.forecasts);
  const closing = new AbortController();
  const forecastFor = serializeByKey(
    (miner: SimulatedMiner) => makeForecast(options, miner),
    ({ uid }) => uid,
    { signal: closing.signal },
  );
  const started = await startFleet({ ...fleet, forecastFor });
  beginForecasts(started.miners, forecastFor);
  return {
    ...started,
    close: () => {
      closing.abort();
      return started.close();
    },
  };
}

/** A forecast that cannot be made is the miner's failure, which it tells itself when it is asked. */
function beginForecasts(
  miners: readonly SimulatedMiner[],
  forecastFor: (miner: SimulatedMiner) => Promise<unknown>,
): void {
  const working = miners.filter(({ profile }) => !WITHOUT_FORECAST.includes(profile));
  for (const miner of working.toSorted((one, other) => one.inferencePolls - other.inferencePolls)) {
    forecastFor(miner).catch(() => undefined);
  }
}

/** Honest miners that take turns in serving the stores of a directory. */
async function startServing(
  fleet: Omit<FleetOptions, 'forecastFor' | 'profiles'>,
  directory: string,
): Promise<Fleet> {
  const stores = await findStores(directory);
  return startFleet({
    ...fleet,
    profiles: Array.from({ length: fleet.count }, () => 'good'),
    forecastFor: ({ uid }) => readStoreFiles(stores[uid % stores.length] ?? ''),
  });
}

/** The files of the forecast that a miner hands in. */
export function makeForecast(
  { stores, initTime, leads }: Pick<SimulatedMinersOptions, 'stores' | 'initTime' | 'leads'>,
  miner: { readonly profile: Profile; readonly seed: number; readonly quality: number },
): Promise<ReadonlyMap<string, Uint8Array>> {
  return makeSimulatedForecast({
    truth: stores.truth,
    climatology: stores.climatology,
    initTime,
    leads,
    quality: miner.quality,
    seed: miner.seed,
    zarrFormat: 2,
    corruption: miner.profile === 'nan' ? 'nan' : 'none',
    ...(miner.profile === 'copying' ? { copyOfReference: stores.reference } : {}),
  });
}
