import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet, type Fleet, type SimulatedMiner } from '#fleet';
import { openGridStore } from '#grids';
import {
  makeDemonstrationWorld,
  makeSimulatedForecast,
  WORLD_LEAD_HOURS,
  type DemonstrationWorld,
} from '#world';

const DAY_MILLIS = 86_400_000;

/** A world with its weather, and as many equal fleets of miners in it as are wanted. */
export interface SimulatedDay {
  /** T0: today, so that ERA5 has to be waited for. */
  readonly initTime: Date;
  readonly world: DemonstrationWorld;
  /** A folder that goes with the day. */
  readonly folder: string;
  /** Miners without any call yet: their faults depend on the number of calls. */
  readonly openFleet: () => Promise<Fleet>;
  readonly remove: () => Promise<void>;
}

/** Makes the world and all forecasts, so that no miner's answer depends on how fast the machine is. */
export async function makeSimulatedDay({
  seed,
  miners,
}: {
  readonly seed: number;
  readonly miners: number;
}): Promise<SimulatedDay> {
  const initTime = new Date(Math.floor(Date.now() / DAY_MILLIS) * DAY_MILLIS);
  const folder = await mkdtemp(join(tmpdir(), 'barograph-faults-'));
  const world = await makeDemonstrationWorld({ initTime, seed, directory: folder });
  const make = await forecastMaker(world, initTime);
  const made = new Map<number, ReadonlyMap<string, Uint8Array>>();
  const openFleet = (): Promise<Fleet> =>
    startFleet({
      count: miners,
      seed,
      initTime,
      delayFactor: 1e-3,
      forecastFor: async (miner) => made.get(miner.uid) ?? make(miner),
    });
  const first = await openFleet();
  for (const miner of first.miners) made.set(miner.uid, await make(miner));
  await first.close();
  return { initTime, world, folder, openFleet, remove: () => rm(folder, { recursive: true }) };
}

async function forecastMaker(paths: DemonstrationWorld, initTime: Date) {
  const [truth, climatology, reference] = [
    await openGridStore(paths.truth),
    await openGridStore(paths.climatology),
    await openGridStore(paths.reference),
  ];
  return ({ quality, seed, profile }: SimulatedMiner) =>
    makeSimulatedForecast({
      truth,
      climatology,
      initTime,
      leads: WORLD_LEAD_HOURS,
      quality,
      seed,
      zarrFormat: 2,
      corruption: profile === 'nan' ? 'nan' : 'none',
      ...(profile === 'copying' ? { copyOfReference: reference } : {}),
    });
}
