import {
  FLEET_DELAY_FACTOR,
  makeForecast,
  WITHOUT_FORECAST,
  type SimulatedMinersOptions,
} from '#commands/run/simulated-miners';
import { openNamedStore } from '#commands/run/stores';
import { startFleet, type SimulatedMiner } from '#fleet';
import type { FleetReady, FleetRequest } from './fleet-messages.ts';

/**
 * The simulated miners of `npm start`, in a separate process, so that their CPU time is not counted. Every forecast is
 * made before the first miner listens, so that the pipeline sets the speed of the run, not the making of forecasts.
 */
async function main(request: FleetRequest): Promise<void> {
  const { count, seed, leads } = request;
  const initTime = new Date(request.initTime);
  const [truth, climatology, reference] = await Promise.all([
    openNamedStore('--truth', request.stores.truth),
    openNamedStore('--climatology', request.stores.climatology),
    openNamedStore('--reference', request.stores.reference),
  ]);
  const parts = { stores: { truth, climatology, reference }, initTime, leads };
  const made = new Map<number, ReadonlyMap<string, Uint8Array>>();
  const fleet = await startFleet({
    count,
    seed,
    initTime,
    delayFactor: FLEET_DELAY_FACTOR,
    forecastFor: ({ uid }) => Promise.resolve(made.get(uid) ?? new Map<string, Uint8Array>()),
  });
  for (const miner of fleet.miners) await makeIfAny(parts, miner, made);
  const ready: FleetReady = {
    miners: fleet.miners.map(({ uid, hotkey, baseUrl }) => ({ uid, hotkey, baseUrl })),
  };
  process.send?.(ready);
}

async function makeIfAny(
  parts: Pick<SimulatedMinersOptions, 'stores' | 'initTime' | 'leads'>,
  miner: SimulatedMiner,
  made: Map<number, ReadonlyMap<string, Uint8Array>>,
): Promise<void> {
  if (!WITHOUT_FORECAST.includes(miner.profile)) made.set(miner.uid, await makeForecast(parts, miner));
}

process.once('message', (request) => {
  main(request as FleetRequest).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
// Ends with its parent.
process.once('disconnect', () => process.exit());
