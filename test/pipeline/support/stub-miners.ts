import { openGridStore, withManifestVerification } from '#grids';
import type { ForecastOpener } from '#pipeline/scores/forecast-opener';
import {
  buildManifest,
  manifestHash,
  signBytes,
  toJobId,
  type InitiateFetchReply,
  type ManifestFiles,
  type Miner,
  type MinerClient,
  type PollReply,
  type TokenReply,
} from '#pipeline/miners/index';
import { makeSimulatedMiner, secretKeyOf } from '#fleet/simulated-miner';
import { INIT_TIME } from './tiny-world.ts';

const FLEET_SEED = 7;

/** The replies of a miner to its n-th call, from 1; a call without a script succeeds at once. */
export interface MinerScript {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly initiateFetch?: (call: number) => InitiateFetchReply;
  readonly poll?: (call: number) => PollReply;
  readonly token?: (call: number, ready: TokenReply) => TokenReply;
  readonly manifest?: (call: number, files: ManifestFiles) => ManifestFiles;
  /** The content that the n-th opening reads; that of the manifest unless given. */
  readonly hosted?: (
    opening: number,
    path: string,
    content: Uint8Array | undefined,
  ) => Uint8Array | undefined;
}

/** Miners without a network: a scripted client, and forecasts opened from memory. */
export interface StubMiners {
  readonly miners: readonly Miner[];
  readonly client: MinerClient;
  readonly openForecast: ForecastOpener;
  /** How often a miner was called, for example `initiateFetch`. */
  calls(uid: number, what: string): number;
}

export const minerOf = (uid: number): Miner => {
  const { hotkey } = makeSimulatedMiner(FLEET_SEED, uid, 'good');
  return { uid, hotkey, baseUrl: `http://203.0.113.9:${9000 + uid}` };
};
export const jobIdOf = (uid: number, initTime = INIT_TIME): string => toJobId(initTime, minerOf(uid).hotkey);

/** Makes miners 0, 1, … that follow their scripts. */
export function stubMiners(scripts: readonly MinerScript[], initTime = INIT_TIME): StubMiners {
  const counts = new Map<string, number>();
  const count = (uid: number, what: string): number => {
    const next = (counts.get(`${uid} ${what}`) ?? 0) + 1;
    counts.set(`${uid} ${what}`, next);
    return next;
  };
  const scriptOf = (uid: number): MinerScript => scripts[uid] ?? { files: new Map() };
  const sealed = scripts.map(({ files }, uid) => {
    const bytes = buildManifest({ signerHotkey: minerOf(uid).hotkey, files: new Map(files) });
    const signature = signBytes(secretKeyOf(FLEET_SEED, uid), bytes);
    return { bytes, signature, firstByteMillis: 12.5 };
  });
  const sealOf = (uid: number): ManifestFiles =>
    sealed[uid] ?? { bytes: new Uint8Array(), signature: new Uint8Array(), firstByteMillis: 0 };
  const client: MinerClient = {
    initiateFetch: async ({ uid }) => {
      const call = count(uid, 'initiateFetch');
      return scriptOf(uid).initiateFetch?.(call) ?? { kind: 'accepted', jobId: jobIdOf(uid, initTime) };
    },
    pollJobStatus: async ({ uid }) => {
      const call = count(uid, 'poll');
      return scriptOf(uid).poll?.(call) ?? { kind: 'completed' };
    },
    requestToken: async ({ uid }) => {
      const call = count(uid, 'token');
      const access = {
        token: 'secret-token',
        storePath: `/forecasts/${uid}.zarr`,
        manifestHash: manifestHash(sealOf(uid).bytes),
      };
      const ready: TokenReply = { kind: 'ready', access };
      return scriptOf(uid).token?.(call, ready) ?? ready;
    },
    fetchManifest: async ({ uid }) => {
      const call = count(uid, 'manifest');
      return scriptOf(uid).manifest?.(call, sealOf(uid)) ?? sealOf(uid);
    },
    forecastReader: () => ({
      url: 'http://203.0.113.9/none',
      headers: { authorization: 'Bearer secret-token' },
    }),
    close: async () => undefined,
  };
  const openForecast: ForecastOpener = async ({ miner: { uid }, files }) => {
    const opening = count(uid, 'open');
    const script = scriptOf(uid);
    const verified = withManifestVerification(
      {
        get: async (key) => {
          const path = key.slice(1);
          const content = script.files.get(path);
          return script.hosted === undefined ? content : script.hosted(opening, path, content);
        },
      },
      { files },
    );
    const store = await openGridStore(verified, {
      timeMissingCategory: 'data_missing_variable',
      requireChunks: true,
    });
    return {
      store,
      stats: () => ({
        bytes: verified.stats.bytes,
        requests: verified.stats.reads,
        verifiedFiles: verified.stats.verifiedFiles,
      }),
    };
  };
  return {
    miners: scripts.map((_, uid) => minerOf(uid)),
    client,
    openForecast,
    calls: (uid, what) => counts.get(`${uid} ${what}`) ?? 0,
  };
}
