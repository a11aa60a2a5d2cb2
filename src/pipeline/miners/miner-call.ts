import { request, type Dispatcher } from 'undici';
import type { ErrorCategory } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import { currentTraceparent } from '#steps';
import { readBounded } from './bounded-body.ts';
import { MinerCallError, type CallProgress, type Operation } from './miner-call-error.ts';
import type { Miner } from './miner.ts';
import { toTransportFailure } from './transport-failure.ts';
import { quoteUntrusted, secretsOf } from './untrusted-text.ts';

/** How much of an error reply is read for the excerpt in the error message, bytes. */
const ERROR_EXCERPT_BYTES = 2048;

/** One call to a miner. */
export interface MinerCall {
  readonly miner: Miner;
  readonly operation: Operation;
  readonly path: string;
  /** What the call is called in errors; the operation unless given. */
  readonly purpose?: string;
  /** Body of a POST, as it is sent; without it the call is a GET. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  /** What no error may repeat, besides token and address. */
  readonly secrets?: readonly string[];
  /** Limit from the start of the call to the last byte of the reply. */
  readonly timeoutMillis: number;
  /** Limit of each silence of the miner: before the head of its reply, and within its body. */
  readonly silenceMillis?: number;
  readonly maxBytes: number;
  /** What a reply other than 200 means, where more is known of it than its status. */
  readonly explain?: (reply: ErrorReply) => Rejection | null;
}

/** A reply other than 200, its text cut and untrusted. */
export interface ErrorReply {
  readonly statusCode: number;
  readonly text: string;
  /** The `date` header, untrusted. */
  readonly date: string;
}

/** What a rejection means. */
export interface Rejection {
  /** That of the status unless given. */
  readonly category?: ErrorCategory;
  /** A sentence for people, without its full stop. */
  readonly advice: string;
}

/** A complete reply with status 200. */
export interface MinerReply {
  readonly statusCode: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** From the start of the call to the head of the reply. */
  readonly firstByteMillis: number;
}

/** The dependencies that calls share. */
export interface CallSurroundings {
  readonly dispatcher: Dispatcher;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
}

/** The URL of a path below a miner. */
export const urlBelow = (miner: Miner, path: string): string => miner.baseUrl.replace(/\/+$/, '') + path;

/** The running step as a W3C `traceparent` header. Such a header in a miner's reply is ignored. */
export function traceHeader(): { readonly traceparent?: string } {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? {} : { traceparent };
}

function headersOf(call: MinerCall): Record<string, string> {
  return {
    ...call.headers,
    ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
    ...traceHeader(),
  };
}

/** The category of a status other than 200. Redirects are rejected: they would send requests and tokens elsewhere. */
function categoryOfStatus(statusCode: number): ErrorCategory {
  if (statusCode === 404) return 'not_found';
  if (statusCode === 429) return 'rate_limited_upstream';
  if (statusCode >= 500) return 'http_5xx';
  return statusCode >= 400 ? 'http_4xx' : 'invalid_response';
}

const secretsOfCall = ({ miner, token, secrets = [] }: MinerCall): string[] => [
  ...secrets,
  ...secretsOf(miner, token),
];

function toRejection(
  call: MinerCall,
  { statusCode, headers }: Dispatcher.ResponseData,
  bytes: Uint8Array,
): MinerCallError {
  const text = new TextDecoder().decode(bytes);
  const rejection = call.explain?.({ statusCode, text, date: String(headers['date'] ?? '') });
  const excerpt = quoteUntrusted(text, secretsOfCall(call));
  const status = `miner ${call.miner.uid} answered ${purposeOf(call)} with HTTP ${statusCode} and ${excerpt}; allowed: 200`;
  const message = rejection ? `${status}. ${rejection.advice}` : status;
  const progress: CallProgress = { statusCode, bytes: bytes.length, wireStatus: null };
  return new MinerCallError(call.operation, rejection?.category ?? categoryOfStatus(statusCode), {
    message,
    progress,
  });
}

async function toReply(
  call: MinerCall,
  response: Dispatcher.ResponseData,
  firstByteMillis: number,
): Promise<MinerReply> {
  const { statusCode, headers } = response;
  const isOk = statusCode === 200;
  const { bytes, complete } = await readBounded(response.body, isOk ? call.maxBytes : ERROR_EXCERPT_BYTES);
  if (!isOk) throw toRejection(call, response, bytes);
  if (!complete) {
    const progress: CallProgress = { statusCode, bytes: bytes.length, wireStatus: null };
    const message = `miner ${call.miner.uid} answered ${purposeOf(call)} with more than ${call.maxBytes} bytes, which is the limit`;
    throw new MinerCallError(call.operation, 'invalid_response', { message, progress });
  }
  return { statusCode, contentType: String(headers['content-type'] ?? ''), bytes, firstByteMillis };
}

const purposeOf = ({ purpose, operation }: MinerCall): string => purpose ?? operation;

/** The limit that ran out: the whole of the call, or one silence of the miner. */
function limitOf({ timeoutMillis, silenceMillis }: MinerCall, code: string): string {
  return code === 'TimeoutError' || silenceMillis === undefined
    ? ` within ${timeoutMillis} ms`
    : `, which was silent for ${silenceMillis} ms`;
}

function toCallError(error: unknown, call: MinerCall): MinerCallError {
  if (error instanceof MinerCallError) return error;
  const { category, code } = toTransportFailure(error);
  const limit = category === 'timeout' ? limitOf(call, code) : '';
  const message = `${purposeOf(call)} brought no complete reply from miner ${call.miner.uid}${limit} (${code})`;
  const cause = scrubbedCause(error, secretsOfCall(call));
  return new MinerCallError(call.operation, category, { message, cause });
}

/**
 * Calls a miner once.
 *
 * @throws MinerCallError when there is no complete reply in time, when it is too long, or when its status is not 200
 */
export async function callMiner(call: MinerCall, surroundings: CallSurroundings): Promise<MinerReply> {
  const { dispatcher, now } = surroundings;
  const startedAt = now();
  try {
    const response = await request(urlBelow(call.miner, call.path), {
      dispatcher,
      method: call.body === undefined ? 'GET' : 'POST',
      headers: headersOf(call),
      body: call.body ?? null,
      signal: AbortSignal.timeout(call.timeoutMillis),
      ...(call.silenceMillis === undefined
        ? {}
        : { headersTimeout: call.silenceMillis, bodyTimeout: call.silenceMillis }),
    });
    return await toReply(call, response, now() - startedAt);
  } catch (error) {
    throw toCallError(error, call);
  }
}
