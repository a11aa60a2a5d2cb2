import {
  type Fleet,
  type FleetMiner,
  type FleetOptions,
  type Profile,
  type SimulatedMiner,
  startFleet,
} from '#fleet';
import { createMinerClient, type ForecastAccess, type MinerClient } from '#pipeline/miners/index';

export const T0 = new Date('2026-11-23T00:00:00Z');
export const CHUNK = 'z/c/0/0/0';
export const SEED = 7;

/** A forecast of two files that names its miner. */
export const smallForecast = async ({ uid, profile }: SimulatedMiner): Promise<Map<string, Uint8Array>> =>
  new Map([
    ['zarr.json', new TextEncoder().encode('{"zarr_format":3}')],
    [CHUNK, new TextEncoder().encode(`chunk of ${profile} miner ${uid}`)],
  ]);

/** A fleet and a client, closed together. */
export interface FleetSession extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly client: MinerClient;
  readonly miner: FleetMiner;
}

/** Starts a fleet of the given profiles, and a client for its first miner. */
export async function startSession(
  profiles: readonly Profile[],
  changes: Partial<FleetOptions> = {},
): Promise<FleetSession> {
  const fleet = await startFleet({
    count: profiles.length,
    profiles,
    seed: SEED,
    initTime: T0,
    delayFactor: 0.001,
    forecastFor: smallForecast,
    ...changes,
  });
  const client = createMinerClient();
  const [miner] = fleet.miners;
  if (miner === undefined) throw new Error('the fleet is empty');
  return {
    fleet,
    client,
    miner,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await fleet.close();
    },
  };
}

/** The job that a miner accepts, or has already completed. */
export async function acceptedJob({ client, miner }: FleetSession): Promise<string> {
  const reply = await client.initiateFetch(miner, { initTime: T0 });
  if ('jobId' in reply) return reply.jobId;
  throw new Error(`the miner answered ${reply.kind}`);
}

/** Polls until the job completes or fails. @returns all replies */
export async function pollToEnd({ client, miner }: FleetSession, jobId: string): Promise<string[]> {
  const kinds: string[] = [];
  for (let poll = 0; poll < 20; poll += 1) {
    const { kind } = await client.pollJobStatus(miner, jobId);
    kinds.push(kind);
    if (kind !== 'running') return kinds;
  }
  throw new Error(`the miner still runs after 20 polls`);
}

export async function accessTo({ client, miner }: FleetSession, jobId: string): Promise<ForecastAccess> {
  const reply = await client.requestToken(miner, jobId);
  if (reply.kind === 'ready') return reply.access;
  throw new Error(`the miner answered ${reply.kind}`);
}

/** Reads a file of a forecast as a store client does. */
export async function readStoreFile(
  { client, miner }: FleetSession,
  access: ForecastAccess,
  path: string,
): Promise<Response> {
  const { url, headers } = client.forecastReader(miner, access);
  return fetch(`${url}/${path}`, { headers });
}
