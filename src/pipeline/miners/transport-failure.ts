import type { ErrorCategory } from '#semconv';
import { isError } from '#semconv/message-of';

/** Codes of errors below HTTP, by category; the first match wins. */
const CODES: readonly (readonly [ErrorCategory, RegExp])[] = [
  ['timeout', /^(?:ETIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/],
  ['handshake', /^(?:ERR_(?:TLS|SSL)_|CERT_|EPROTO$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_)/],
  ['invalid_response', /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|RES_CONTENT_LENGTH_MISMATCH|INFO)$)/],
  [
    'validator_internal',
    /^(?:ERR_INVALID_|UND_ERR_(?:INVALID_ARG|CLOSED|DESTROYED|REQ_CONTENT_LENGTH_MISMATCH)$)/,
  ],
  ['connection', /^(?:E[A-Z_]+|UND_ERR_SOCKET)$/],
];

/** A failure below HTTP, without the message of the error, which would reveal the address. */
export interface TransportFailure {
  readonly category: ErrorCategory;
  /** Code of the error, or its class when it has none. */
  readonly code: string;
}

function codeOf(error: unknown): string {
  if (!isError(error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Classifies an error that a request threw before a reply was complete, by class and code. */
export function toTransportFailure(error: unknown): TransportFailure {
  const code = codeOf(error);
  if (code === 'TimeoutError') return { category: 'timeout', code };
  const category = CODES.find(([, pattern]) => pattern.test(code))?.[0];
  return { category: category ?? 'unknown', code };
}
