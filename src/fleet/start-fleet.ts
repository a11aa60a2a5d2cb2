import type { FiberDialect, Miner } from '#pipeline/miners/index';
import { createFiberGate, drawRsaKey, type FiberGate } from './fiber-gate.ts';
import type { Route } from './fault-schedule.ts';
import { findClosedPort, openFleetServer } from './fleet-server.ts';
import { createForecastService } from './forecast-service.ts';
import { createMinerEndpoint, type MinerEndpoint } from './miner-endpoint.ts';
import { assignProfiles, type Profile } from './profile.ts';
import { makeSimulatedMiner, type SimulatedMiner } from './simulated-miner.ts';

const MOST_MINERS = 256;
/** How long a hanging request is held: longer than the validator's timeout, unless time is scaled down. */
const HOLD_MILLIS = 60_000;
const SHORTEST_HOLD_MILLIS = 10;
/** Longest wait for a forecast in progress: below the 5 s timeout of a validator for a simulated miner. */
const MAX_WAIT_MILLIS = 3000;

/** Options of a fleet. */
export interface FleetOptions {
  /** 1 to 256; the UIDs are 0 to count − 1. */
  readonly count: number;
  /** Determines keys, profiles, faults and qualities. */
  readonly seed: number;
  /** T0 of the forecasts that the miners make. */
  readonly initTime: Date;
  /** Makes the files of a miner's forecast, by path; called once for a miner, when it has accepted a job. */
  readonly forecastFor: (miner: SimulatedMiner) => Promise<ReadonlyMap<string, Uint8Array>>;
  /** Scales how long hanging requests are held; 1 is real time. */
  readonly delayFactor: number;
  /** The profile of each miner; assigned by the seed unless given. */
  readonly profiles?: readonly Profile[];
  /** The form of signed requests that the miners take; unsigned JSON unless given. */
  readonly dialect?: FiberDialect | undefined;
  /** Decides when tokens and keys expire, and which nonces are too old. */
  readonly clock?: { readonly now: () => Date };
}

/** A miner of the fleet, with its address. */
export type FleetMiner = SimulatedMiner & Miner;

/** A running fleet. */
export interface Fleet {
  readonly miners: readonly FleetMiner[];
  /** Requests that a miner received, by route, including those that it dropped. */
  readonly requestCounts: (uid: number) => Readonly<Record<Route, number>>;
  readonly close: () => Promise<void>;
}

function profilesOf({ count, seed, profiles }: FleetOptions): readonly Profile[] {
  if (!Number.isInteger(count) || count < 1 || count > MOST_MINERS) {
    throw new RangeError(`a fleet of ${count} miners cannot be started; allowed: 1 to ${MOST_MINERS}`);
  }
  if (profiles !== undefined && profiles.length !== count) {
    throw new RangeError(
      `${profiles.length} profiles are given for ${count} miners; give one for each, or none`,
    );
  }
  return profiles ?? assignProfiles(count, seed);
}

function endpointOf(
  miner: SimulatedMiner,
  options: FleetOptions,
  openGate: (() => FiberGate) | null,
): MinerEndpoint {
  const service = createForecastService(miner, {
    fleetSeed: options.seed,
    initTime: options.initTime,
    makeForecast: () => options.forecastFor(miner),
    maxWaitMillis: MAX_WAIT_MILLIS,
    now: options.clock?.now ?? (() => new Date()),
  });
  return createMinerEndpoint(miner, service, openGate?.());
}

/** Makes gates for signed requests; null for a fleet that takes unsigned ones. */
async function gatesOf({ dialect, clock }: FleetOptions): Promise<(() => FiberGate) | null> {
  if (dialect === undefined) return null;
  const rsaKey = await drawRsaKey();
  return () => createFiberGate({ dialect, rsaKey, now: clock?.now ?? (() => new Date()) });
}

/** Starts simulated miners: real HTTP on the loopback interface, in this process. The caller closes the fleet. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const miners = profilesOf(options).map((profile, uid) => makeSimulatedMiner(options.seed, uid, profile));
  const openGate = await gatesOf(options);
  const endpoints = new Map(miners.map((miner) => [miner.uid, endpointOf(miner, options, openGate)]));
  const closedPort = await findClosedPort();
  const holdMillis = Math.max(SHORTEST_HOLD_MILLIS, HOLD_MILLIS * options.delayFactor);
  const server = await openFleetServer({ endpoints, holdMillis });
  const portOf = (miner: SimulatedMiner): number => (miner.profile === 'offline' ? closedPort : server.port);
  return {
    miners: miners.map((miner) => ({
      ...miner,
      baseUrl: `http://127.0.0.1:${portOf(miner)}/m/${miner.uid}`,
    })),
    requestCounts(uid) {
      const endpoint = endpoints.get(uid);
      if (endpoint === undefined) throw new RangeError(`uid is ${uid}; allowed: 0 to ${options.count - 1}`);
      return endpoint.requestCounts();
    },
    close: server.close,
  };
}
