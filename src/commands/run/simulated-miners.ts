import { startFleet, type Fleet, type FleetOptions, type Profile, type SimulatedMiner } from '#fleet';
import type { GridStore } from '#grids';
import { makeSimulatedForecast } from '#world';
import { serializeByKey } from './serialize-by-key.ts';
import { findStores, readStoreFiles } from './stores.ts';

/** Request timeouts of simulated miners, milliseconds: they respond at once, unless their profile lets requests hang. */
export const SIMULATION_TIMEOUTS = { initiateFetch: 5000, poll: 5000, token: 5000 };
/** How long a hanging request is held, as a fraction of a real minute; it must exceed the timeouts. */
export const FLEET_DELAY_FACTOR = 0.1;
/** The URLs of simulated miners, as a pattern of SQL's `like`. */
export const SIMULATED_MINER_URLS = 'http://127.0.0.1:%/m/%';
/** Profiles that never deliver a forecast. */
export const WITHOUT_FORECAST: readonly Profile[] = ['rejecting', 'offline', 'failing'];

/** How simulated miners are made. */
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
  /** The form of signed requests that the miners take; unsigned JSON unless given. */
  readonly dialect?: FleetOptions['dialect'];
  /** A directory of Zarr stores to serve instead of generated forecasts; every miner then has the profile `good`. */
  readonly forecasts?: string | undefined;
}

/**
 * Starts the miners: real HTTP servers in this process. Forecasts are generated eagerly, earliest deadline first, so
 * that all miners deliver in time although they share one machine.
 */
export async function startSimulatedMiners(options: SimulatedMinersOptions): Promise<Fleet> {
  const { count, seed, initTime, dialect } = options;
  const fleet = { count, seed, initTime, dialect, delayFactor: FLEET_DELAY_FACTOR };
  if (options.forecasts !== undefined) return startFleetFromStores(fleet, options.forecasts);
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

/** Ignores errors here: the miner itself reports a forecast that cannot be generated when it is polled. */
function beginForecasts(
  miners: readonly SimulatedMiner[],
  forecastFor: (miner: SimulatedMiner) => Promise<unknown>,
): void {
  const working = miners.filter(({ profile }) => !WITHOUT_FORECAST.includes(profile));
  for (const miner of working.toSorted((one, other) => one.inferencePolls - other.inferencePolls)) {
    forecastFor(miner).catch(() => undefined);
  }
}

/** Starts miners that serve the stores of a directory, assigned round-robin. */
async function startFleetFromStores(
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

/** Generates the files of a miner's forecast, by path inside the store. */
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
