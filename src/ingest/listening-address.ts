import { isIPv6 } from 'node:net';
import { isLoopback } from '#http/doors';
import { CategorizedError } from '#semconv';
import { isError } from '#semconv/message-of';

/** @throws CategorizedError `validator_internal` for an address that is not loopback, without a token */
export function requireSafeAddress(host: string, hasTokens: boolean): void {
  if (hasTokens || isLoopback(host)) return;
  throw new CategorizedError(
    'validator_internal',
    `Every program that reaches ${host} could write to the tables. ` +
      'Set BAROGRAPH_INGEST_TOKEN or BAROGRAPH_INGEST_TOKENS_FILE, which senders must then send, or listen on 127.0.0.1.',
  );
}

/** The URL that senders use. */
export const toUrl = (host: string, port: number): string =>
  `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** The ports of the receiver: what they are called, and how to do without. */
const PORTS = {
  http: { protocol: '', variable: 'BAROGRAPH_INGEST_PORT', remedies: 'to a free one, or to 0 for any' },
  grpc: {
    protocol: ' over gRPC',
    variable: 'BAROGRAPH_INGEST_GRPC_PORT',
    remedies: 'to a free one, to 0 for any, or to off for none',
  },
} as const;

/** The error for a port that cannot be bound, with what to do. */
export function toListenError(
  cause: unknown,
  { host, port, kind = 'http' }: { host: string; port: number; kind?: keyof typeof PORTS },
): CategorizedError {
  const { protocol, variable, remedies } = PORTS[kind];
  const code = isError(cause) && 'code' in cause ? String(cause.code) : 'unknown';
  const reason = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be opened (${code})`;
  return new CategorizedError(
    'validator_internal',
    `The port ${port} of ${host}, for spans of other programs${protocol}, ${reason}. ` +
      `Set ${variable} ${remedies}, and check BAROGRAPH_INGEST_HOST.`,
    { cause },
  );
}
