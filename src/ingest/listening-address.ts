import { isIPv4, isIPv6 } from 'node:net';
import { CategorizedError } from '#semconv';

/** Whether only programs of this machine can reach an address. What is not known to be so is not. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** @throws CategorizedError for an address that others reach too, when there is no token to tell them by */
export function requireSafeAddress(host: string, token: string | null): void {
  if (token !== null || isLoopback(host)) return;
  throw new CategorizedError(
    'validator_internal',
    `Spans would be taken from everybody who reaches ${host}, and they write to the tables. ` +
      'Set BAROGRAPH_INGEST_TOKEN, which senders then have to know, or listen on 127.0.0.1.',
  );
}

/** The URL that senders use. */
export const toUrl = (host: string, port: number): string =>
  `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** A port that cannot be had, in words. */
export function toListenError(
  cause: unknown,
  { host, port }: { host: string; port: number },
): CategorizedError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const reason = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be opened (${code})`;
  return new CategorizedError(
    'validator_internal',
    `The port ${port} of ${host}, to take spans on, ${reason}. ` +
      'Set BAROGRAPH_INGEST_PORT to a free one, or to 0 for any, and check BAROGRAPH_INGEST_HOST.',
    { cause },
  );
}
