import type { z } from 'zod';
import { toJobId } from '#pipeline/miners/index';
import type { initiateFetchDataSchema } from '#pipeline/miners/protocol';
import { issueToken } from './access-token.ts';
import { hostStore, type HostedStore } from './hosted-store.ts';
import { beginInference, type InferenceJob, type InferenceState } from './inference-job.ts';
import { seededBytes } from './seeded-fraction.ts';
import { serveFile } from './serve-file.ts';
import { secretKeyOf, type SimulatedMiner } from './simulated-miner.ts';
import type { WireResponse, WireRequest } from './wire.ts';

const TOKEN_LIFETIME_SECONDS = 120 * 60;

/** Options of a simulated miner's forecast service. */
export interface ForecastServiceOptions {
  readonly fleetSeed: number;
  /** T0 of the only forecast that the miner makes. */
  readonly initTime: Date;
  /** Called once, when a job is accepted. */
  readonly makeForecast: () => Promise<ReadonlyMap<string, Uint8Array>>;
  /** Longest wait of a response for a forecast in progress, milliseconds. */
  readonly maxWaitMillis: number;
  readonly now: () => Date;
}

/** Operations of the miner protocol. */
export interface ForecastService {
  readonly initiateFetch: (data: z.output<typeof initiateFetchDataSchema>) => Promise<Reply>;
  readonly poll: (jobId: string) => Promise<Reply>;
  readonly requestToken: (jobId: string) => Promise<Reply>;
  readonly serveFile: (request: WireRequest) => WireResponse;
}

type Reply = Readonly<Record<string, unknown>>;

/** The reply that rejects a forecast request, or null when the miner accepts it. */
function rejectionOf(
  miner: SimulatedMiner,
  initTime: Date,
  data: z.output<typeof initiateFetchDataSchema>,
): Reply | null {
  const expected = data.expected_miner_hotkey ?? miner.hotkey;
  if (miner.profile === 'rejecting' || expected !== miner.hotkey) {
    const message = 'hotkey verification failed: this machine holds another hotkey';
    return { status: 'fetch_rejected', message, expected_hotkey: expected };
  }
  if (Date.parse(data.forecast_start_time) !== initTime.getTime()) {
    return { status: 'error', message: `no analysis is known for ${data.forecast_start_time}` };
  }
  return null;
}

/** Only slow miners report progress, and when their inference began, which both are optional in the protocol. */
function toPollReply(miner: SimulatedMiner, state: InferenceState, startedAt: Date): Reply {
  switch (state.kind) {
    case 'completed':
      return { status: 'completed' };
    case 'failed':
      return { status: 'failed', message: state.message };
    case 'running':
      return miner.profile === 'slow'
        ? { status: 'running', progress: state.progress, inference_started_at: startedAt.toISOString() }
        : { status: 'running' };
  }
}

/** Makes the forecast of a miner and signs its manifest. */
async function makeStore(miner: SimulatedMiner, options: ForecastServiceOptions): Promise<HostedStore> {
  return hostStore(await options.makeForecast(), {
    hotkey: miner.hotkey,
    secretKey: secretKeyOf(options.fleetSeed, miner.uid),
    nonceSeed: seededBytes(options.fleetSeed, 'signature', miner.uid),
    tampering: miner.profile === 'tampering',
  });
}

/** Access to a completed forecast: store path, manifest hash and token. */
function accessTo(
  store: HostedStore,
  jobId: string,
  options: ForecastServiceOptions,
  secret: Uint8Array,
): Reply {
  const directory = `${jobId}.zarr`;
  const exp = Math.floor(options.now().getTime() / 1000) + TOKEN_LIFETIME_SECONDS;
  return {
    zarr_store_url: `/forecasts/${directory}`,
    verification_hash: store.manifestHash,
    access_token: issueToken({ job_id: jobId, file_path: directory, exp }, secret),
  };
}

/**
 * Creates the forecast service of a miner. Idempotent: it has one job at most, and a repeated request returns that job.
 */
export function createForecastService(
  miner: SimulatedMiner,
  options: ForecastServiceOptions,
): ForecastService {
  const jobId = toJobId(options.initTime, miner.hotkey);
  const tokenSecret = seededBytes(options.fleetSeed, 'token', miner.uid);
  let job: InferenceJob | null = null;
  let store: HostedStore | null = null;
  /** The inference of a simulated miner begins when it is first polled: until then its job waits in a queue. */
  let startedAt: Date | null = null;

  const begin = (): InferenceJob =>
    beginInference({
      makeStore: async () => (store = await makeStore(miner, options)),
      polls: miner.inferencePolls,
      failure: miner.profile === 'failing' ? 'inference failed: CUDA out of memory' : null,
      maxWaitMillis: options.maxWaitMillis,
    });

  return {
    async initiateFetch(data) {
      const rejection = rejectionOf(miner, options.initTime, data);
      if (rejection !== null) return rejection;
      job ??= begin();
      const state = await job.state();
      return state.kind === 'completed'
        ? { status: 'completed', job_id: jobId, ...accessTo(state.store, jobId, options, tokenSecret) }
        : { status: 'fetch_accepted', job_id: jobId, message: 'accepted' };
    },
    async poll(askedJobId) {
      if (job === null || askedJobId !== jobId) return { status: 'not_found', job_id: askedJobId };
      startedAt ??= options.now();
      return { job_id: jobId, ...toPollReply(miner, await job.poll(), startedAt) };
    },
    async requestToken(askedJobId) {
      if (job === null || askedJobId !== jobId) return { status: 'not_found' };
      const state = await job.state();
      if (state.kind === 'failed') return { status: 'error', message: state.message };
      if (state.kind === 'running') return { status: 'processing' };
      return { status: 'completed', ...accessTo(state.store, jobId, options, tokenSecret) };
    },
    serveFile: (request) =>
      serveFile(request, { directory: `${jobId}.zarr`, store, tokenSecret, now: options.now() }),
  };
}
