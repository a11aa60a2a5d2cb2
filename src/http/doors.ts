import { isIPv4, type Server, type Socket } from 'node:net';

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

/** Counts what each address has open, so that one client cannot take what all others need. */
export interface AddressLimit {
  /** Counts one more, also beyond the limit. @returns whether it is within the limit */
  readonly enter: (address: string | undefined) => boolean;
  readonly leave: (address: string | undefined) => void;
}

export function createAddressLimit(max: number): AddressLimit {
  const open = new Map<string, number>();
  return {
    enter: (address = '') => {
      const count = (open.get(address) ?? 0) + 1;
      open.set(address, count);
      return count <= max;
    },
    leave: (address = '') => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    },
  };
}

/** Closes connections beyond so many of one address. */
export function limitConnectionsByAddress(server: Server, maxConnections: number): void {
  const limit = createAddressLimit(maxConnections);
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    socket.once('close', () => limit.leave(remoteAddress));
    if (!limit.enter(remoteAddress)) socket.destroy();
  });
}

/**
 * The window of time in which the requests of an address are counted. Shorter than the ten seconds after which stock senders
 * give a batch up: they wait only for what comes before that.
 */
export const RATE_MILLIS = 2_000;

/** Whether an address may ask once more: so many times in a window of time, which begins with the first question after the last. */
export function createRateLimit(max: number, windowMillis: number, now: () => number = Date.now) {
  const asked = new Map<string, number>();
  let since = now();
  return (address = ''): boolean => {
    if (now() - since >= windowMillis) {
      asked.clear();
      since = now();
    }
    const count = (asked.get(address) ?? 0) + 1;
    asked.set(address, count);
    return count <= max;
  };
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

/** The first bytes of every HTTP/2 connection, as far as the parser of HTTP/1 reads them. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';
/** Frames of HTTP/2 (RFC 9113): empty SETTINGS, which come first; type and flags of a GOAWAY, before its two stream numbers. */
const SETTINGS = Buffer.from('000000040000000000', 'hex');
const GOAWAY = Buffer.from('0700', 'hex');
const HTTP_1_1_REQUIRED = Buffer.from('0000000d', 'hex');
const STATUS_OF_FAULT: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** What the parser of HTTP/1 says of bytes that it cannot read. */
interface BrokenRequest extends Error {
  readonly code?: string;
  readonly rawPacket?: unknown;
}

/** Ends a connection of HTTP/2 with a GOAWAY, whose text its client prints, and any other that is broken as HTTP/1 does. */
export function answerHttp2(remedy: string) {
  return (error: BrokenRequest, socket: Socket): void => {
    const { code = '', rawPacket } = error;
    if (code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else if (Buffer.isBuffer(rawPacket) && rawPacket.toString('latin1').startsWith(HTTP2_PREFACE))
      socket.end(goAway(remedy));
    else {
      const status = STATUS_OF_FAULT[code] ?? '400 Bad Request';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
  };
}

function goAway(text: string): Buffer {
  const debug = Buffer.from(text);
  const length = Buffer.alloc(3);
  length.writeUIntBE(8 + debug.length, 0, 3);
  return Buffer.concat([SETTINGS, length, GOAWAY, Buffer.alloc(8), HTTP_1_1_REQUIRED, debug]);
}

const HTTP1_REQUEST = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /;

/**
 * Waits for the first bytes of a connection of HTTP/2, and hands it over with them. A client of HTTP/1 is answered with what
 * to do, and one that sends nothing is cut off.
 */
export function answerHttp1(
  socket: Socket,
  { remedy, timeoutMillis }: { readonly remedy: string; readonly timeoutMillis: number },
  handOver: () => void,
): void {
  const timer = setTimeout(() => socket.destroy(), timeoutMillis);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.once('data', (first: Buffer) => {
    clearTimeout(timer);
    if (HTTP1_REQUEST.test(first.toString('latin1', 0, 8))) {
      const head = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(remedy)}`;
      // Its rest is drained, so that the client can read the reply.
      socket.end(`${head}\r\n\r\n${remedy}`).resume();
      return;
    }
    socket.pause();
    socket.unshift(first);
    handOver();
  });
}
