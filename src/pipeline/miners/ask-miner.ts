import { CategorizedError } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import type { Exchange } from './communication-step.ts';
import { MinerCallError, type CallProgress } from './miner-call-error.ts';
import type { CallSurroundings, MinerReply } from './miner-call.ts';
import type { ParsedReply } from './replies.ts';
import type { MinerRequest, MinerTransport } from './transport.ts';
import { quoteUntrusted, secretsOf } from './untrusted-text.ts';

/** What requests are sent by. */
export interface RequestSurroundings extends CallSurroundings {
  readonly transport: MinerTransport;
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
  surroundings: RequestSurroundings,
  read: (body: unknown, secrets: readonly string[]) => ParsedReply<Reply>,
): Promise<Exchange<Reply>> {
  const { miner, type } = minerRequest;
  const reply = await surroundings.transport.send(minerRequest, surroundings);
  const secrets = secretsOf(miner);
  let parsed: unknown;
  try {
    parsed = readJson(reply, secrets);
    const { reply: result, wireStatus } = read(parsed, secrets);
    const { statusCode, bytes, handshakeMillis } = reply;
    const context = {
      bytes: bytes.length,
      kind: result.kind,
      ...(handshakeMillis === undefined ? {} : { handshake_ms: handshakeMillis }),
    };
    return { result, statusCode, wireStatus, context };
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
