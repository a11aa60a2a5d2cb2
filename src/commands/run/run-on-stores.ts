import type { Config } from '#src/config';
import { requireForecastCycle, type PipelineStores } from '#pipeline';
import { type MinersTls, readMinerList } from '#pipeline/miners/index';
import { spansAtEnd, type ExitReport } from '../terminal/exit-report.ts';
import type { MinerAccess } from './miner-transport.ts';
import { locationsToKeep, openNamedStore, type StoreSources } from './stores.ts';
import type { Output } from '../terminal/output.ts';
import { SIMULATED_MINER_URLS, SIMULATION_TIMEOUTS, startSimulatedMiners } from './simulated-miners.ts';
import { validate, type MinersOfRun } from './validate.ts';
import type { ValidationReport } from './validation-report.ts';

/** A run on given or generated stores. */
export interface RunOnStoresOptions {
  readonly stores: StoreSources;
  readonly initTime: Date;
  readonly leads: readonly number[];
  readonly day1Lead: number;
  /** Number of simulated miners; ignored with a miners file. */
  readonly miners: number;
  readonly seed: number;
  readonly forecasts?: string | undefined;
  /** A list of real miners. */
  readonly minersFile?: string | undefined;
  /** How the certificates of real miners are checked; not at all unless given. */
  readonly minersTls?: MinersTls;
  /** How miners are asked; by unsigned JSON unless given. */
  readonly access?: MinerAccess;
  readonly config: Config;
  readonly output: Output;
  /** Interrupts the run; everything opened is closed then. */
  readonly signal: AbortSignal;
}

/** A finished run: its report, and the servers that stay up until `close`. */
export interface FinishedRun {
  readonly report: ValidationReport;
  /** Closes everything. @returns how it ended */
  readonly close: () => Promise<ExitReport>;
}

/** Scales fifteen days to 13 s; a retry after five minutes is due after 3 ms. */
export const SIMULATION_DELAY_FACTOR = 1e-5;
/** Scaled jobs are due within milliseconds of each other and must not wait for a slow poll of the queue. */
const SIMULATION_POLL_MILLIS = 100;
/** A dead worker must not delay a run that takes seconds. */
const SIMULATION_RECOVERY = { checkMillis: 1000, graceMillis: 1000 };
const DEMONSTRATION_VALIDATOR = 'demonstration-validator';

/** Intervals that are shortened beside the scaled delays when all miners are simulated. */
export const SIMULATION_SETTINGS = {
  queuePollMillis: SIMULATION_POLL_MILLIS,
  minerTimeouts: SIMULATION_TIMEOUTS,
  recovery: SIMULATION_RECOVERY,
};

/** Runs one validation on the stores to completion, with simulated or real miners. */
export async function runOnStores(options: RunOnStoresOptions): Promise<FinishedRun> {
  const { config, access = { validatorHotkey: config.validatorHotkey } } = options;
  requireForecastCycle(options.initTime);
  const stores = await openStores(options.stores);
  const isSimulated = options.minersFile === undefined;
  const miners = await openMiners(options, stores);
  try {
    const { report, barograph } = await validate({
      ...options,
      ...access,
      validatorHotkey: access.validatorHotkey ?? DEMONSTRATION_VALIDATOR,
      stores: isSimulated ? stores : reopeningStores(options.stores),
      storeLocations: locationsToKeep(options.stores),
      miners,
      minerUrlPattern: isSimulated ? SIMULATED_MINER_URLS : null,
      delayFactor: config.delayFactor ?? (isSimulated ? SIMULATION_DELAY_FACTOR : 1),
      ...(isSimulated ? SIMULATION_SETTINGS : {}),
    });
    const close = async (): Promise<ExitReport> => {
      try {
        const steps = await barograph.close();
        return { steps, spans: spansAtEnd(barograph.recording) };
      } finally {
        await miners.close();
      }
    };
    return { report, close };
  } catch (error) {
    await miners.close().catch(() => undefined);
    throw error;
  }
}

async function openStores(locations: StoreSources) {
  const [truth, climatology, reference] = await Promise.all([
    openNamedStore('--truth', locations.truth),
    openNamedStore('--climatology', locations.climatology),
    openNamedStore('--reference', locations.reference),
  ]);
  if (locations.analysis === undefined) return { truth, climatology, reference };
  return { truth, climatology, reference, analysis: await openNamedStore('--analysis', locations.analysis) };
}

/** Opens the stores at each access, because real truth is appended while the run waits for it. */
function reopeningStores({ truth, climatology, reference, analysis }: StoreSources): PipelineStores {
  return {
    truth: () => openNamedStore('--truth', truth),
    climatology: () => openNamedStore('--climatology', climatology),
    reference: () => openNamedStore('--reference', reference),
    ...(analysis === undefined ? {} : { analysis: () => openNamedStore('--analysis', analysis) }),
  };
}

async function openMiners(
  options: RunOnStoresOptions,
  stores: Awaited<ReturnType<typeof openStores>>,
): Promise<MinersOfRun> {
  if (options.minersFile !== undefined) {
    return { miners: await readMinerList(options.minersFile), close: () => Promise.resolve() };
  }
  return startSimulatedMiners({
    ...options,
    count: options.miners,
    leads: [options.day1Lead, ...options.leads],
    dialect: options.access?.dialect,
    stores,
  });
}
