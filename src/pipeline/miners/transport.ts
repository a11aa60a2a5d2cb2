import { randomUUID } from 'node:crypto';
import type { Operation } from './miner-call-error.ts';
import { callMiner, type CallSurroundings, type MinerCall, type MinerReply } from './miner-call.ts';
import { REQUEST_PATHS } from './protocol.ts';
import type { RequestType } from './wire-status.ts';

/** A request of the protocol to a miner. */
export interface MinerRequest {
  readonly miner: MinerCall['miner'];
  readonly type: RequestType & Operation;
  readonly data: Readonly<Record<string, unknown>>;
  /** Limit from the start of each HTTP request to the last byte of its reply. */
  readonly timeoutMillis: number;
  readonly maxBytes: number;
}

/** A reply, and what it took before the request itself could be sent. */
export interface TransportReply extends MinerReply {
  /** Time for agreeing on keys, milliseconds; absent when nothing had to be agreed on. */
  readonly handshakeMillis?: number;
}

/** The form in which requests travel to miners. The replies are plain JSON in every form. */
export interface MinerTransport {
  /** Sends a request and reads the reply. @throws MinerCallError when there is no complete one with status 200 */
  readonly send: (request: MinerRequest, surroundings: CallSurroundings) => Promise<TransportReply>;
}

export const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json' } as const;

/** The call of a request, but for its body. */
export const toCall = ({ miner, type, timeoutMillis, maxBytes }: MinerRequest): MinerCall => ({
  miner,
  operation: type,
  path: REQUEST_PATHS[type],
  timeoutMillis,
  maxBytes,
});

/** The envelope of a request, as JSON. */
export const toEnvelope = ({ data }: MinerRequest): string => JSON.stringify({ nonce: randomUUID(), data });

/** Unsigned JSON: what simulated miners and miners for tests take. */
export const plainTransport: MinerTransport = {
  send: (request, surroundings) =>
    callMiner(
      {
        ...toCall(request),
        body: toEnvelope(request),
        headers: JSON_HEADERS,
        explain: ({ statusCode, text }) =>
          statusCode === 422 && text.includes('validator-hotkey')
            ? { advice: 'The miner takes signed requests only: --transport fiber sends them' }
            : null,
      },
      surroundings,
    ),
};
