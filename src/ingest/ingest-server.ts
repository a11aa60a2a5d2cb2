import { createArrivals } from '#http/arrivals';
import { createBudget } from '#http/doors';
import { startHttpServer, type HttpLimits, type HttpServer } from '#http/http-server';
import { startGrpcServer } from './grpc-server.ts';
import { type ConcurrencyLimit, createConcurrencyLimit } from './concurrency-limit.ts';
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
  /** The port of OTLP/gRPC; none unless given. */
  readonly grpcPort?: number | null;
  readonly limits?: Partial<IngestLimits>;
}

/** Limits of the server. The limit of bytes holds for a body both compressed and decompressed. */
export interface IngestLimits extends HttpLimits {
  /** Requests that are unpacked, and as many that are decoded or written, concurrently; the others wait, the smallest first. */
  readonly maxRequests: number;
  /** How long they wait until they get a 503 with `retry-after`; shorter than the time-out of a sender. */
  readonly slotPatienceMillis: number;
  /** Most spans, events and attribute values of all requests that are not answered; more get a 503. */
  readonly maxItems: number;
}

const DEFAULT_LIMITS: IngestLimits = {
  maxBodyBytes: 16 * 2 ** 20,
  maxArrivedBytes: 64 * 2 ** 20,
  slowBodyMillis: 1000,
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
};

/** A listening OTLP receiver. */
export interface IngestServer extends HttpServer {
  /** Base URL of OTLP/HTTP, without the path that OTLP adds. */
  readonly url: string;
  /** Null without OTLP/gRPC. */
  readonly grpcUrl: string | null;
}

/**
 * Starts an OTLP receiver, over HTTP and, on a port of its own, over gRPC; both share all budgets. A request succeeds only
 * when its spans are durable, so that the sender may drop them.
 *
 * @throws CategorizedError `validator_internal` when a port cannot be bound, or a non-loopback address has no token
 */
export async function startIngestServer(options: IngestServerOptions): Promise<IngestServer> {
  const { host, port, grpcPort = null, tokens, onProblem } = options;
  requireSafeAddress(host, tokens.length > 0);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { maxBodyBytes, maxRequests, slotPatienceMillis, maxItems } = limits;
  const newLimit = (): ConcurrencyLimit => createConcurrencyLimit(maxRequests, slotPatienceMillis);
  const arrivals = createArrivals(limits);
  const parts = {
    ...{ ...options, limits, maxBodyBytes, arrivals },
    ...{ unpacking: newLimit(), concurrency: newLimit(), items: createBudget(maxItems) },
    unpackedBytes: createBudget(limits.maxArrivedBytes),
  };
  const grpc = grpcPort === null ? null : await startGrpcServer({ ...parts, port: grpcPort });
  const grpcUrl = grpc === null ? null : toUrl(host, grpc.port);
  try {
    const server = await startHttpServer({
      host,
      port,
      limits: { ...limits, http2Remedy: toHttp2Remedy(grpcUrl) },
      arrivals,
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
    const close = async (): Promise<void> => {
      await Promise.all([server.close(), grpc?.close()]);
    };
    return { port: server.port, url: toUrl(host, server.port), grpcUrl, close };
  } catch (error) {
    await grpc?.close();
    throw error;
  }
}

/** What a client of gRPC is told at the port of HTTP. */
const toHttp2Remedy = (grpcUrl: string | null): string =>
  `This port takes OTLP over HTTP/1.1, not gRPC. ${
    grpcUrl === null
      ? 'gRPC is off here (BAROGRAPH_INGEST_GRPC_PORT).'
      : `gRPC is taken on port ${new URL(grpcUrl).port}: set OTEL_EXPORTER_OTLP_ENDPOINT=${grpcUrl}.`
  } For this port set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or otlp_http in a Collector.`;
