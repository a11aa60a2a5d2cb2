import type { ErrorCategory } from '#semconv';

/** Error codes of Node (with TLS, HTTP and zlib) and of undici. */
export const CATEGORY_OF_CODE: Readonly<Record<string, ErrorCategory>> = {
  ETIMEDOUT: 'timeout',
  ESOCKETTIMEDOUT: 'timeout',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_ABORTED: 'timeout',
  ABORT_ERR: 'timeout',
  ECONNREFUSED: 'connection',
  ECONNRESET: 'connection',
  ECONNABORTED: 'connection',
  EPIPE: 'connection',
  ENOTFOUND: 'connection',
  EHOSTUNREACH: 'connection',
  EHOSTDOWN: 'connection',
  ENETUNREACH: 'connection',
  ENETDOWN: 'connection',
  ENOTCONN: 'connection',
  EADDRNOTAVAIL: 'connection',
  UND_ERR_SOCKET: 'connection',
  UND_ERR_CLOSED: 'connection',
  UND_ERR_DESTROYED: 'connection',
  ERR_STREAM_PREMATURE_CLOSE: 'connection',
  EPROTO: 'handshake',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'handshake',
  SELF_SIGNED_CERT_IN_CHAIN: 'handshake',
  HOSTNAME_MISMATCH: 'handshake',
  UND_ERR_HEADERS_OVERFLOW: 'invalid_response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'invalid_response',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'invalid_response',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'invalid_response',
  Z_DATA_ERROR: 'invalid_response',
  Z_BUF_ERROR: 'invalid_response',
  ENOMEM: 'out_of_memory',
  ERR_WORKER_OUT_OF_MEMORY: 'out_of_memory',
  ERR_STRING_TOO_LONG: 'out_of_memory',
  ERR_BUFFER_TOO_LARGE: 'out_of_memory',
  ERR_MEMORY_ALLOCATION_FAILED: 'out_of_memory',
  EBUSY: 'lock_busy',
  EDEADLK: 'lock_busy',
  ELOCKED: 'lock_busy',
  ENOENT: 'validator_internal',
  EACCES: 'validator_internal',
  EPERM: 'validator_internal',
  EROFS: 'validator_internal',
  ENOSPC: 'validator_internal',
  EDQUOT: 'validator_internal',
  EMFILE: 'validator_internal',
  ENFILE: 'validator_internal',
  EADDRINUSE: 'validator_internal',
};

/** Prefixes of codes, for those that are not listed. */
export const CATEGORY_OF_FAMILY: readonly (readonly [RegExp, ErrorCategory])[] = [
  [/^EAI_/, 'connection'],
  [/^ERR_HTTP2_/, 'connection'],
  [/^(CERT_|UNABLE_TO_|ERR_TLS_|ERR_SSL_)/, 'handshake'],
  [/^HPE_/, 'invalid_response'],
  [/^(UND_ERR_INVALID_ARG|ERR_INVALID_ARG|ERR_ASSERTION|ERR_MODULE_|ERR_OUT_OF_RANGE)/, 'validator_internal'],
];

/** SQLSTATEs that are transient, or more specific than a refusal by the database. */
export const CATEGORY_OF_SQLSTATE: Readonly<Record<string, ErrorCategory>> = {
  '55P03': 'lock_busy',
  '55006': 'lock_busy',
  '40P01': 'lock_busy',
  '40001': 'lock_busy',
  '53200': 'out_of_memory',
};
/** SQLSTATE: five characters with a digit; Node's codes of five letters (`EPIPE`, `EBUSY`) have none. */
export const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** The category by an error code alone, or null. */
export function categoryOfCode(code: string): ErrorCategory | null {
  if (Object.hasOwn(CATEGORY_OF_CODE, code)) return CATEGORY_OF_CODE[code] ?? null;
  if (SQLSTATE.test(code)) {
    return Object.hasOwn(CATEGORY_OF_SQLSTATE, code)
      ? (CATEGORY_OF_SQLSTATE[code] ?? null)
      : 'validator_internal';
  }
  return CATEGORY_OF_FAMILY.find(([family]) => family.test(code))?.[1] ?? null;
}

/** The category of an HTTP status, or null for a status that is no failure. */
export function categoryOfHttpStatus(status: number): ErrorCategory | null {
  if (!Number.isInteger(status) || status < 400 || status > 599) return null;
  if (status === 404 || status === 410) return 'not_found';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate_limited_upstream';
  return status >= 500 ? 'http_5xx' : 'http_4xx';
}
