import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handleExport, type ExportHandlerParts } from './handle-export.ts';
import { requireSafeAddress, toListenError, toUrl } from './listening-address.ts';
import { sendReply } from './reply.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';

/** Where spans are taken, and where they go. */
export interface IngestServerOptions extends Pick<ExportHandlerParts, 'deliver' | 'token' | 'onProblem'> {
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly limits?: Partial<IngestLimits>;
}

/** How much is taken at once. */
export interface IngestLimits {
  /** Most bytes of a body, as sent and unpacked. */
  readonly maxBodyBytes: number;
  /** Requests that are read or written at once; others are asked to come back. */
  readonly maxRequests: number;
  /** How long a request may take to arrive. */
  readonly requestTimeoutMillis: number;
  /** How often that is looked at. */
  readonly timeoutCheckMillis: number;
  /** How long the requests that still arrive are waited for at the end. */
  readonly closeGraceMillis: number;
}

const DEFAULT_LIMITS: IngestLimits = {
  maxBodyBytes: 16 * 2 ** 20,
  maxRequests: 16,
  requestTimeoutMillis: 30_000,
  timeoutCheckMillis: 1000,
  closeGraceMillis: 2000,
};
const MAX_CONNECTIONS = 256;
/** Longer than senders pause between two exports, so that no connection is closed under the next one. */
const KEEP_ALIVE_MILLIS = 75_000;

/** A server that takes spans. */
export interface IngestServer {
  /** Where it listens, without the path that OTLP adds. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests and resolves when those under way are written and answered. May be called again. */
  close(): Promise<void>;
}

/**
 * Takes spans over OTLP/HTTP. A sender is answered when its spans are safe, so it may forget them then.
 *
 * @throws CategorizedError when the port cannot be had, or when the address needs a token and there is none
 */
export async function startIngestServer(options: IngestServerOptions): Promise<IngestServer> {
  const { host, deliver: deliver, token, onProblem } = options;
  requireSafeAddress(host, token);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { maxBodyBytes } = limits;
  const parts = {
    deliver: deliver,
    token,
    onProblem,
    maxBodyBytes,
    concurrency: createConcurrencyLimit(limits.maxRequests),
  };
  const underWay = new Set<Promise<void>>();
  const server = createLimitedServer(limits, (request, response) => {
    const answered = answerTo(request, response, { server, parts }).finally(() => underWay.delete(answered));
    underWay.add(answered);
  });
  await listen(server, options);
  server.on('error', onProblem);
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    url: toUrl(host, port),
    port,
    close: () => (closing ??= close(server, underWay, limits)),
  };
}

/** A server on which nobody can hold a connection or a request for ever. */
function createLimitedServer(
  { requestTimeoutMillis, timeoutCheckMillis }: IngestLimits,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createServer(
    {
      requestTimeout: requestTimeoutMillis,
      headersTimeout: requestTimeoutMillis,
      connectionsCheckingInterval: timeoutCheckMillis,
      keepAliveTimeout: KEEP_ALIVE_MILLIS,
    },
    listener,
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  { server, parts }: { readonly server: Server; readonly parts: ExportHandlerParts },
): Promise<void> {
  const reply = await handleExport(request, parts);
  // A connection that is kept alive would hold up the closing of the server.
  if (!server.listening) response.shouldKeepAlive = false;
  sendReply(response, reply);
}

async function listen(server: Server, { host, port }: IngestServerOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    throw toListenError(cause, { host, port });
  }
}

/** What has arrived is written to its end, even when its sender is cut off: it sends again, and that is harmless. */
async function close(
  server: Server,
  underWay: ReadonlySet<Promise<void>>,
  { closeGraceMillis }: IngestLimits,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMillis);
  await closed;
  clearTimeout(timer);
  await Promise.all(underWay);
}
