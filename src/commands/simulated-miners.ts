import { startFleet, type Fleet, type Profile } from '../fleet/index.ts';
import type { GridStore } from '../grids/index.ts';
import { makeSimulatedForecast } from '../world/index.ts';
import { findStores, readStoreFiles } from './stores.ts';

/** How long a hanging request of a simulated miner is held, as a part of a real minute. */
const FLEET_DELAY_FACTOR = 0.05;

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

/** Starts the miners: real HTTP servers in this process. */
export async function startSimulatedMiners(options: SimulatedMinersOptions): Promise<Fleet> {
  const { count, seed, initTime } = options;
  const fleet = { count, seed, initTime, delayFactor: FLEET_DELAY_FACTOR };
  if (options.forecasts === undefined) {
    return startFleet({ ...fleet, forecastFor: (miner) => makeForecast(options, miner) });
  }
  const stores = await findStores(options.forecasts);
  const profiles = Array.from({ length: count }, (): Profile => 'good');
  const forecastFor = ({ uid }: { readonly uid: number }) =>
    readStoreFiles(stores[uid % stores.length] ?? '');
  return startFleet({ ...fleet, profiles, forecastFor });
}

function makeForecast(
  { stores, initTime, leads }: SimulatedMinersOptions,
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
