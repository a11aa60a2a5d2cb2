import type { Server } from 'node:http';
import { isIPv4 } from 'node:net';

/** A request that the server refuses before a route sees it, with what its sender may do. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly statusCode: number;
  /** Sent as `retry-after`; null when the same request is never accepted. */
  readonly retryAfterSeconds: number | null;

  constructor(statusCode: number, message: string, retryAfterSeconds: number | null = null) {
    super(message);
    this.statusCode = statusCode;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether an address is loopback. Fails safe: an unknown form is not. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Guards a loopback listener against DNS rebinding: a web page whose name resolves to this machine sends that name.
 *
 * @throws RefusedRequest 403 for a name that is not that of a loopback address
 */
export function requireOwnHost(listensOn: string, hostHeader: string | undefined): void {
  if (!isLoopback(listensOn) || hostHeader === undefined) return;
  const name = hostHeader
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (isLoopback(name)) return;
  throw new RefusedRequest(
    403,
    `The host is ${JSON.stringify(name.slice(0, 80))}; allowed on ${listensOn}: localhost, 127.0.0.1 and [::1].`,
  );
}

/** Closes connections beyond so many of one address, so that one client cannot take those of all others. */
export function limitConnectionsByAddress(server: Server, maxConnections: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    const connections = (open.get(address) ?? 0) + 1;
    open.set(address, connections);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    if (connections > maxConnections) socket.destroy();
  });
}

/** A budget that all requests share. */
export interface Budget {
  /** @returns whether there was room; nothing is taken without */
  readonly reserve: (amount: number) => boolean;
  readonly release: (amount: number) => void;
}

export function createBudget(total: number): Budget {
  let free = total;
  return {
    reserve: (amount) => {
      if (amount > free) return false;
      free -= amount;
      return true;
    },
    release: (amount) => {
      free += amount;
    },
  };
}
