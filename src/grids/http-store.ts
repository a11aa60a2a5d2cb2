import { type Dispatcher, request } from 'undici';
import type { AsyncReadable, RangeQuery } from 'zarrita';
import { CategorizedError, type ErrorCategory } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import { isError } from '#semconv/message-of';
import { boundsOf } from './directory-store.ts';
import { type BoundedRead, fileTooLong } from './read-limits.ts';

const DEFAULT_TIMEOUT_MILLIS = 30_000;
/** Well above one global 0.25 degree field, well below what would exhaust memory. */
const DEFAULT_MAX_FILE_BYTES = 256 * 2 ** 20;

export interface HttpStoreOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer`. Never part of an error. */
  readonly bearerToken?: string;
  /** For one whole request, body included. Default 30 000. */
  readonly timeoutMillis?: number;
  /** A longer file is rejected while it is downloaded. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /** Connection pool, for instance one that accepts self-signed certificates. */
  readonly dispatcher?: Dispatcher;
  /** Monotonic clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** Transfer statistics of a store. */
export interface HttpStoreStats {
  readonly requests: number;
  /** Body bytes of completely received files. */
  readonly bytes: number;
  /** Milliseconds from the first answered request to its response headers; null before there is one. */
  readonly firstByteMillis: number | null;
}

export interface HttpStore extends AsyncReadable {
  readonly stats: HttpStoreStats;
}

/**
 * Reads the files below a URL. 404 means that a file is absent; any other status than 200 is an error.
 *
 * Errors name the file's path within the store and a status or code, never the host, the query or the token;
 * their cause is a copy of the connection error without them.
 */
export function createHttpStore(url: string | URL, options: HttpStoreOptions = {}): HttpStore {
  const base = new URL(url);
  const stats = { requests: 0, bytes: 0, firstByteMillis: null as number | null };
  const now = options.now ?? (() => performance.now());
  const headers = { ...options.headers, ...bearerHeader(options.bearerToken) };
  const timeoutMillis = options.timeoutMillis ?? DEFAULT_TIMEOUT_MILLIS;
  const maxFileBytes = options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES;
  const read = async (
    key: string,
    { signal, range, maxBytes = maxFileBytes }: HttpRead,
  ): Promise<Uint8Array | undefined> => {
    stats.requests += 1;
    const startedAt = now();
    const timeout = AbortSignal.timeout(timeoutMillis);
    try {
      const response = await request(fileUrl(base, key), {
        headers: range === undefined ? headers : { ...headers, range: toHeader(range) },
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
      });
      stats.firstByteMillis ??= now() - startedAt;
      const isPart = range !== undefined && response.statusCode === 206;
      const limit = Math.min(maxBytes, maxFileBytes, isPart ? lengthOf(range) : Infinity);
      const bytes = await readBody(isPart ? { ...response, statusCode: 200 } : response, key, limit);
      stats.bytes += bytes?.byteLength ?? 0;
      // A server that knows no ranges sends the whole file.
      if (bytes === undefined || range === undefined || isPart) return bytes;
      return bytes.subarray(...boundsOf(range, bytes.byteLength));
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const failed = { key, timedOut: timeout.aborted, timeoutMillis, secrets: secretsOf(base, headers) };
      throw toTransportError(error, failed);
    }
  };
  return {
    stats,
    get: (key, options = {}) => read(key, options),
    getRange: (key, range, options = {}) => read(key, { ...options, range }),
  };
}

interface HttpRead extends BoundedRead {
  readonly range?: RangeQuery;
}

const lengthOf = (range: RangeQuery): number => ('suffixLength' in range ? range.suffixLength : range.length);

const toHeader = (range: RangeQuery): string =>
  'suffixLength' in range
    ? `bytes=-${String(range.suffixLength)}`
    : `bytes=${String(range.offset)}-${String(range.offset + range.length - 1)}`;

function bearerHeader(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The key is appended to the path and its parts are encoded; the query of the base stays. */
function fileUrl(base: URL, key: string): URL {
  const url = new URL(base);
  const path = key.split('/').map(encodeURIComponent).join('/');
  url.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`;
  return url;
}

/** The body of a 200, undefined for a 404. */
async function readBody(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  key: string,
  maxFileBytes: number,
): Promise<Uint8Array | undefined> {
  if (statusCode !== 200) {
    // The status alone decides; errors while the body is discarded are ignored.
    await body.dump().catch(() => undefined);
    if (statusCode === 404) return undefined;
    throw statusError(statusCode, key);
  }
  const announced = Number(headers['content-length'] ?? 0);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    length += part.byteLength;
    // Leaving the loop closes the connection; destroying the body instead would raise an uncaught error.
    if (Math.max(length, announced) > maxFileBytes) throw fileTooLong(key, maxFileBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Retryable: 5xx, 401 (with a fresh token), 408 and 429. */
function statusError(statusCode: number, key: string): CategorizedError {
  const message = `Reading file ${key} was answered with HTTP ${String(statusCode)}; 200 or 404 is allowed.`;
  const retryable = statusCode >= 500 || [401, 408, 429].includes(statusCode);
  return Object.assign(new CategorizedError(categoryOf(statusCode), message, { retryable }), { statusCode });
}

function categoryOf(statusCode: number): ErrorCategory {
  if (statusCode >= 500) return 'http_5xx';
  return statusCode >= 400 ? 'http_4xx' : 'invalid_response';
}

interface FailedRequest {
  readonly key: string;
  readonly timedOut: boolean;
  readonly timeoutMillis: number;
  readonly secrets: readonly string[];
}

/** Shorter values of headers are words, which occur in any message. */
const SHORTEST_TOKEN = 8;

/** What an error of the connection may name, besides addresses: host, query, and the values of the headers. */
function secretsOf(base: URL, headers: Readonly<Record<string, string>>): readonly string[] {
  const tokens = Object.values(headers).map((value) => value.replace(/^Bearer /, ''));
  return [...tokens.filter(({ length }) => length >= SHORTEST_TOKEN), base.search, base.host, base.hostname];
}

/** `timeout` for the whole request, its headers or its connection; `connection` for every other transport error. */
function toTransportError(error: unknown, failed: FailedRequest): CategorizedError {
  const { key, timedOut, timeoutMillis, secrets } = failed;
  if (error instanceof CategorizedError) return error;
  const code = isError(error) && 'code' in error ? String(error.code) : 'no code';
  const cause = scrubbedCause(error, secrets);
  if (timedOut || code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT') {
    const message = `Reading file ${key} took longer than ${String(timeoutMillis)} ms.`;
    return new CategorizedError('timeout', message, { retryable: true, cause });
  }
  const message = `The connection failed while reading file ${key} (${code}).`;
  return new CategorizedError('connection', message, { retryable: true, cause });
}
