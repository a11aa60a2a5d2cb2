import type { ServerResponse } from 'node:http';
import { createFiberGate, drawRsaKey } from '#fleet/fiber-gate';
import { createFiberTransport } from '#pipeline/miners/fiber/fiber-transport';
import { signerOfSeed } from '#pipeline/miners/hotkey-file';
import { createMinerClient, type FiberDialect, type MinerClient } from '#pipeline/miners/index';
import { JOB_ID, json, startScriptedMiner, type Received, type ScriptedMiner } from '../scripted-miner.ts';

/** What the hotkey of the tests is made of: must stand nowhere. */
export const CANARY = 'c0ffee11'.repeat(8);
export const SIGNER = signerOfSeed(Buffer.from(CANARY, 'hex'));
export const NOW = Date.parse('2026-11-30T12:00:00Z');
const RSA_KEY = await drawRsaKey();

/** How the miner and its caller are set up. */
export interface SignedOptions {
  readonly dialect?: FiberDialect;
  /** That of the caller, when it is not the miner's. */
  readonly callersDialect?: FiberDialect;
  /** How far the miner's clock is ahead, seconds. */
  readonly skewSeconds?: number;
  readonly silenceMillis?: number;
  readonly timeouts?: { readonly initiateFetch?: number; readonly poll?: number; readonly token?: number };
  /** What the miner does in place of what it should; undefined where it does that. */
  readonly instead?: (request: Received) => ((response: ServerResponse) => void) | undefined;
}

/** A miner that takes signed requests only, and a client that sends them. */
export interface SignedMiner extends AsyncDisposable {
  readonly miner: ScriptedMiner['miner'];
  readonly client: MinerClient;
  readonly received: readonly Received[];
  /** What the miner has read of the requests that it accepted. */
  readonly accepted: readonly unknown[];
  /** Loses all keys, as a crash does. */
  readonly forgetKeys: () => void;
  /** Lets the caller's monotonic clock go on. */
  readonly passMillis: (millis: number) => void;
  /** The paths that were asked for since the last look. */
  readonly pathsSince: () => string[];
}

export async function startSignedMiner(options: SignedOptions = {}): Promise<SignedMiner> {
  const { dialect = 'encrypted', skewSeconds = 0, instead } = options;
  const openGate = () =>
    createFiberGate({ dialect, rsaKey: RSA_KEY, now: () => new Date(NOW + skewSeconds * 1000) });
  let gate = openGate();
  let elapsed = 0;
  let looked = 0;
  const accepted: unknown[] = [];
  const scripted = await startScriptedMiner((response, request) => {
    const other = instead?.(request);
    if (other !== undefined) {
      other(response);
      return;
    }
    const answer = gate({ ...request, path: request.url, token: null });
    if ('kind' in answer) {
      if (answer.kind === 'json') json(answer.body, answer.statusCode)(response);
    } else if (answer.method === 'GET') json({ detail: 'Not Found' }, 404)(response);
    else {
      accepted.push(JSON.parse(answer.body));
      json({ status: 'fetch_accepted', job_id: JOB_ID })(response);
    }
  });
  const client = createMinerClient({
    transport: createFiberTransport({
      signer: SIGNER,
      dialect: options.callersDialect ?? dialect,
      clock: () => NOW,
      ...(options.silenceMillis === undefined ? {} : { silenceMillis: options.silenceMillis }),
    }),
    timeouts: { initiateFetch: 20_000, poll: 20_000, token: 20_000, ...options.timeouts },
    now: () => elapsed,
  });
  return {
    ...scripted,
    client,
    accepted,
    forgetKeys: () => (gate = openGate()),
    passMillis: (millis) => (elapsed += millis),
    pathsSince: () =>
      scripted.received.slice(looked, (looked = scripted.received.length)).map(({ url }) => url),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await scripted[Symbol.asyncDispose]();
    },
  };
}
