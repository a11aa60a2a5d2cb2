import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handleExport, type ExportHandlerParts } from './handle-export.ts';
import { requireSafeAddress, toListenError, toUrl } from './listening-address.ts';
import { sendReply } from './reply.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';

/** Address, sink and limits of the server. */
export interface IngestServerOptions extends Pick<ExportHandlerParts, 'deliver' | 'token' | 'onProblem'> {
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly limits?: Partial<IngestLimits>;
}

/** Limits of the server. */
export interface IngestLimits {
  /** Most bytes of a body, both compressed and decompressed. */
  readonly maxBodyBytes: number;
  /** Requests that are read or written concurrently; more get a 503 with `retry-after`. */
  readonly maxRequests: number;
  /** Time-out for the arrival of a request. */
  readonly requestTimeoutMillis: number;
  /** Interval at which that time-out is checked. */
  readonly timeoutCheckMillis: number;
  /** Grace of `close` for requests that are still arriving. */
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
/** Longer than the export interval of senders, so that no connection is closed under the next export. */
const KEEP_ALIVE_MILLIS = 75_000;

/** A listening OTLP/HTTP receiver. */
export interface IngestServer {
  /** Base URL, without the path that OTLP adds. */
  readonly url: string;
  readonly port: number;
  /** Stops accepting requests and resolves when those in flight are written and have their replies. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts an OTLP/HTTP receiver. A request succeeds only when its spans are durable, so that the sender may drop them.
 *
 * @throws CategorizedError `validator_internal` when the port cannot be bound, or a non-loopback address has no token
 */
export async function startIngestServer(options: IngestServerOptions): Promise<IngestServer> {
  const { host, deliver, token, onProblem } = options;
  requireSafeAddress(host, token);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { maxBodyBytes } = limits;
  const parts = {
    deliver,
    token,
    onProblem,
    maxBodyBytes,
    concurrency: createConcurrencyLimit(limits.maxRequests),
  };
  const inFlight = new Set<Promise<void>>();
  const server = createLimitedServer(limits, (request, response) => {
    const handled = handleRequest(request, response, { server, parts }).finally(() =>
      inFlight.delete(handled),
    );
    inFlight.add(handled);
  });
  await listen(server, options);
  server.on('error', onProblem);
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    url: toUrl(host, port),
    port,
    close: () => (closing ??= close(server, inFlight, limits)),
  };
}

/** An HTTP server with time-outs and a connection limit, so that slow clients cannot exhaust it. */
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

async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { server, parts }: { readonly server: Server; readonly parts: ExportHandlerParts },
): Promise<void> {
  const reply = await handleExport(request, parts);
  // A keep-alive connection would delay the close of the server.
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

/** Requests in flight are written to their end, even when the sender is cut off: its retry is idempotent. */
async function close(
  server: Server,
  inFlight: ReadonlySet<Promise<void>>,
  { closeGraceMillis }: IngestLimits,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMillis);
  await closed;
  clearTimeout(timer);
  await Promise.all(inFlight);
}
