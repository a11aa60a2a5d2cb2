import type { buildConnector, Dispatcher } from 'undici';
import { askMiner, type RequestSurroundings } from './ask-miner.ts';
import { communicationStep } from './communication-step.ts';
import { MANIFEST_FILE, MOST_MANIFEST_BYTES, SIGNATURE_FILE } from './manifest.ts';
import { openMinerAgent } from './miner-agent.ts';
import { callMiner, traceHeader, urlBelow, type MinerReply } from './miner-call.ts';
import type { ForecastAccess, Miner } from './miner.ts';
import { toInitiateFetchData, type ForecastRequest } from './protocol.ts';
import {
  progressOf,
  readInitiateFetchReply,
  readPollReply,
  readTokenReply,
  type InitiateFetchReply,
  type PollReply,
  type TokenReply,
} from './replies.ts';
import { plainTransport, type MinerTransport } from './transport.ts';

/** Timeout of each call, from its start to the last byte of the reply, milliseconds. */
export interface MinerTimeouts {
  readonly initiateFetch: number;
  readonly poll: number;
  /** Tokens, and each of the two files of a manifest. */
  readonly token: number;
}

/** Limits on the size of a reply, bytes. */
export interface ReplyLimits {
  readonly replyBytes: number;
  readonly manifestBytes: number;
}

/** Options of a client; all have defaults. */
export interface MinerClientOptions {
  /** Replaces the client's own connection pool; the caller closes it. */
  readonly dispatcher?: Dispatcher;
  /** The form of requests; `plain` unless given. */
  readonly transport?: MinerTransport;
  readonly timeouts?: Partial<MinerTimeouts>;
  readonly limits?: Partial<ReplyLimits>;
  /** Concurrent connections to one miner. */
  readonly connectionsPerMiner?: number;
  /** Opens the connections of the client's own pool; by default certificates are not verified. */
  readonly connect?: buildConnector.connector;
  /** Monotonic clock, milliseconds. */
  readonly now?: () => number;
}

/** The two files that seal a forecast, as they were read. */
export interface ManifestFiles {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  /** From the request for the manifest to the head of its reply, milliseconds. */
  readonly firstByteMillis: number;
}

/** URL and headers for reading the files of a forecast. Both are secret. */
export interface ForecastReader {
  readonly url: string;
  /** `traceparent` is that of the step that requests the reader. */
  readonly headers: { readonly authorization: string; readonly traceparent?: string };
}

/** Client of the miner protocol. Every call is a `communication` step. @throws MinerCallError from each call that fails */
export interface MinerClient {
  /** Requests a forecast. The returned job id is untrusted: the caller compares it with the expected one. */
  readonly initiateFetch: (miner: Miner, request: ForecastRequest) => Promise<InitiateFetchReply>;
  readonly pollJobStatus: (miner: Miner, jobId: string) => Promise<PollReply>;
  readonly requestToken: (miner: Miner, jobId: string) => Promise<TokenReply>;
  /** Reads manifest and signature without verifying them. */
  readonly fetchManifest: (miner: Miner, access: ForecastAccess) => Promise<ManifestFiles>;
  readonly forecastReader: (miner: Miner, access: ForecastAccess) => ForecastReader;
  /** Aborts running calls, which fail as `validator_internal`, and closes the connections. */
  readonly close: () => Promise<void>;
}

const TIMEOUTS: MinerTimeouts = { initiateFetch: 30_000, poll: 15_000, token: 45_000 };
const LIMITS: ReplyLimits = { replyBytes: 1024 * 1024, manifestBytes: MOST_MANIFEST_BYTES };
const SIGNATURE_LIMIT_BYTES = 4096;

/** The settings that all calls of one client share. */
interface Settings extends RequestSurroundings {
  readonly timeouts: MinerTimeouts;
  readonly limits: ReplyLimits;
}

function initiateFetchStep(settings: Settings): MinerClient['initiateFetch'] {
  return communicationStep('initiate_fetch', 'POST', async (miner: Miner, request: ForecastRequest) => {
    const exchange = await askMiner(
      {
        miner,
        type: 'initiate_fetch',
        data: toInitiateFetchData(miner, request),
        timeoutMillis: settings.timeouts.initiateFetch,
        maxBytes: settings.limits.replyBytes,
      },
      settings,
      readInitiateFetchReply,
    );
    const { result } = exchange;
    return 'jobId' in result ? { ...exchange, jobId: result.jobId } : exchange;
  });
}

function pollStep(settings: Settings): MinerClient['pollJobStatus'] {
  return communicationStep('poll_job_status', 'POST', async (miner: Miner, jobId: string) => {
    const exchange = await askMiner(
      {
        miner,
        type: 'poll_job_status',
        data: { job_id: jobId },
        timeoutMillis: settings.timeouts.poll,
        maxBytes: settings.limits.replyBytes,
      },
      settings,
      readPollReply,
    );
    const { result } = exchange;
    const progress = progressOf(result);
    return {
      ...exchange,
      jobId,
      context: { ...exchange.context, has_progress: progress !== null, progress },
    };
  });
}

function tokenStep(settings: Settings): MinerClient['requestToken'] {
  return communicationStep('kerchunk_request', 'POST', async (miner: Miner, jobId: string) => {
    const exchange = await askMiner(
      {
        miner,
        type: 'kerchunk_request',
        data: { job_id: jobId },
        timeoutMillis: settings.timeouts.token,
        maxBytes: settings.limits.replyBytes,
      },
      settings,
      readTokenReply,
    );
    return { ...exchange, jobId };
  });
}

/** A file at the root of a store. */
interface RootFile {
  readonly access: ForecastAccess;
  readonly name: string;
  readonly maxBytes: number;
}

function fileStep(settings: Settings): (miner: Miner, file: RootFile) => Promise<MinerReply> {
  return communicationStep('forecast_file', 'GET', async (miner: Miner, file: RootFile) => {
    const reply = await callMiner(
      {
        miner,
        operation: 'forecast_file',
        path: `${file.access.storePath}/${file.name}`,
        token: file.access.token,
        timeoutMillis: settings.timeouts.token,
        maxBytes: file.maxBytes,
      },
      settings,
    );
    const { statusCode, bytes, firstByteMillis } = reply;
    const context = { file: file.name, bytes: bytes.length, first_byte_ms: firstByteMillis };
    return { result: reply, statusCode, wireStatus: null, context };
  });
}

function manifestReader(settings: Settings): MinerClient['fetchManifest'] {
  const readFile = fileStep(settings);
  const { manifestBytes } = settings.limits;
  return async (miner, access) => {
    const manifest = await readFile(miner, { access, name: MANIFEST_FILE, maxBytes: manifestBytes });
    const signature = await readFile(miner, {
      access,
      name: SIGNATURE_FILE,
      maxBytes: SIGNATURE_LIMIT_BYTES,
    });
    return { bytes: manifest.bytes, signature: signature.bytes, firstByteMillis: manifest.firstByteMillis };
  };
}

/** Creates a client. The caller closes it. */
export function createMinerClient(options: MinerClientOptions = {}): MinerClient {
  const agent = openMinerAgent(options.connectionsPerMiner, options.connect);
  const settings: Settings = {
    dispatcher: options.dispatcher ?? agent,
    transport: options.transport ?? plainTransport,
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    limits: { ...LIMITS, ...options.limits },
    now: options.now ?? (() => performance.now()),
  };
  let closing: Promise<void> | undefined;
  return {
    initiateFetch: initiateFetchStep(settings),
    pollJobStatus: pollStep(settings),
    requestToken: tokenStep(settings),
    fetchManifest: manifestReader(settings),
    forecastReader: (miner, access) => ({
      url: urlBelow(miner, access.storePath),
      headers: { authorization: `Bearer ${access.token}`, ...traceHeader() },
    }),
    close: () => (closing ??= agent.destroy()),
  };
}
