import { randomUUID } from 'node:crypto';
import { CategorizedError } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import type { Exchange } from './communication-step.ts';
import { MinerCallError, type CallProgress } from './miner-call-error.ts';
import { callMiner, type CallSurroundings, type MinerCall, type MinerReply } from './miner-call.ts';
import { REQUEST_PATHS } from './protocol.ts';
import type { ParsedReply } from './replies.ts';
import { quoteUntrusted, secretsOf } from './untrusted-text.ts';
import type { RequestType } from './wire-status.ts';

/** A protocol request to a miner. */
export interface MinerRequest {
  readonly miner: MinerCall['miner'];
  readonly type: RequestType;
  readonly data: Readonly<Record<string, unknown>>;
  readonly timeoutMillis: number;
  readonly maxBytes: number;
}

function readJson({ contentType, bytes }: MinerReply, secrets: readonly string[]): unknown {
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)) {
    const got = contentType === '' ? 'no content type' : `content type ${quoteUntrusted(contentType)}`;
    throw new CategorizedError('invalid_response', `the reply has ${got}; allowed: application/json`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const message = `the reply (${bytes.length} bytes) is not JSON in UTF-8`;
    throw new CategorizedError('invalid_response', message, { cause: scrubbedCause(error, secrets) });
  }
}

/** The status of a body that failed to parse, so that the span records it; null when there is none. */
function statusTextOf(body: unknown): string | null {
  const status: unknown = typeof body === 'object' && body !== null && 'status' in body ? body.status : null;
  return typeof status === 'string' ? status : null;
}

/**
 * Sends a protocol request and parses the reply.
 *
 * @throws MinerCallError when the call fails, and `invalid_response` when the reply is not one of the protocol
 */
export async function askMiner<Reply extends { readonly kind: string }>(
  minerRequest: MinerRequest,
  surroundings: CallSurroundings,
  read: (body: unknown, secrets: readonly string[]) => ParsedReply<Reply>,
): Promise<Exchange<Reply>> {
  const { miner, type, data, timeoutMillis, maxBytes } = minerRequest;
  const body = { nonce: randomUUID(), data };
  const call: MinerCall = {
    miner,
    operation: type,
    path: REQUEST_PATHS[type],
    body,
    timeoutMillis,
    maxBytes,
  };
  const reply = await callMiner(call, surroundings);
  const secrets = secretsOf(miner);
  let parsed: unknown;
  try {
    parsed = readJson(reply, secrets);
    const { reply: result, wireStatus } = read(parsed, secrets);
    const { statusCode, bytes } = reply;
    return {
      result,
      statusCode,
      wireStatus,
      context: { bytes: bytes.length, kind: result.kind },
    };
  } catch (error) {
    if (!(error instanceof CategorizedError)) throw error;
    const status = statusTextOf(parsed);
    const progress: CallProgress = {
      statusCode: reply.statusCode,
      bytes: reply.bytes.length,
      wireStatus: status === null ? null : quoteUntrusted(status, secrets),
    };
    const message = `${type} to miner ${miner.uid}: ${error.message}`;
    throw new MinerCallError(type, error.category, { message, progress, cause: error });
  }
}
