import { createBudget } from '#http/doors';
import { startHttpServer, type HttpLimits, type HttpServer } from '#http/http-server';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import { requireSafeAddress, toListenError, toUrl } from './listening-address.ts';
import {
  admitExport,
  handleExport,
  toFailureReply,
  toMissingReply,
  TRACES_PATH,
  type ExportHandlerParts,
} from './handle-export.ts';

/** Address, sink and limits of the server. */
export interface IngestServerOptions extends Pick<
  ExportHandlerParts,
  'deliver' | 'tokens' | 'onProblem' | 'onRefused' | 'now'
> {
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly limits?: Partial<IngestLimits>;
}

/** Limits of the server. The limit of bytes holds for a body both compressed and decompressed. */
export interface IngestLimits extends HttpLimits {
  /** Requests that are decoded or written concurrently once they have arrived; the others wait for one of these to be answered. */
  readonly maxRequests: number;
  /** How long they wait until they get a 503 with `retry-after`; shorter than the time-out of a sender. */
  readonly slotPatienceMillis: number;
  /** Most spans, events and attribute values of all requests that are not answered; more get a 503. */
  readonly maxItems: number;
}

const DEFAULT_LIMITS: IngestLimits = {
  maxBodyBytes: 16 * 2 ** 20,
  maxArrivedBytes: 64 * 2 ** 20,
  maxRequests: 4,
  slotPatienceMillis: 5000,
  maxItems: 1_000_000,
  maxConnections: 1024,
  maxConnectionsOfAddress: 512,
  maxRequestsOfAddress: 1000,
  headersTimeoutMillis: 5000,
  requestTimeoutMillis: 30_000,
  timeoutCheckMillis: 1000,
  // Longer than the export interval of senders, so that no connection is closed under the next export.
  keepAliveMillis: 75_000,
  closeGraceMillis: 2000,
  http2Remedy:
    'This port takes OTLP over HTTP/1.1, not gRPC. Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or otlp_http in a Collector.',
};

/** A listening OTLP/HTTP receiver. */
export interface IngestServer extends HttpServer {
  /** Base URL, without the path that OTLP adds. */
  readonly url: string;
}

/**
 * Starts an OTLP/HTTP receiver. A request succeeds only when its spans are durable, so that the sender may drop them.
 *
 * @throws CategorizedError `validator_internal` when the port cannot be bound, or a non-loopback address has no token
 */
export async function startIngestServer(options: IngestServerOptions): Promise<IngestServer> {
  const { host, port, tokens, onProblem } = options;
  requireSafeAddress(host, tokens.length > 0);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { maxBodyBytes, maxRequests, slotPatienceMillis, maxItems } = limits;
  const concurrency = createConcurrencyLimit(maxRequests, slotPatienceMillis);
  const parts = { ...options, maxBodyBytes, concurrency, items: createBudget(maxItems) };
  const server = await startHttpServer({
    host,
    port,
    limits,
    routes: [
      {
        path: TRACES_PATH,
        method: 'POST',
        admit: (request) => admitExport(request, parts),
        handle: (request) => handleExport(request, parts),
      },
    ],
    toMissingReply,
    toErrorReply: (error, request) => toFailureReply(error, request, parts),
    toListenError: (cause) => toListenError(cause, { host, port }),
    onError: onProblem,
  });
  return { ...server, url: toUrl(host, server.port) };
}
