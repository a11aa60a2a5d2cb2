import { CategorizedError } from '#semconv';
import { RefusedRequest } from './doors.ts';
import { startHttpServer, type HttpLimits, type HttpServer } from './http-server.ts';
import { metricsRoutes, toMissingReply, type RouteSources } from './routes.ts';
import { textReply } from './reply.ts';

/** Address and sources of the server. */
export interface MetricsServerOptions extends Pick<RouteSources, 'render' | 'ready'> {
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Longest time of a rendering or a readiness check; 9,000 unless given. */
  readonly deadlineMillis?: number;
  /** Receives errors of renderings, of checks and of the server itself. */
  readonly onError?: (error: unknown) => void;
}

const DEFAULT_DEADLINE_MILLIS = 9000;
const LIMITS: HttpLimits = {
  maxBodyBytes: 1024,
  maxArrivedBytes: 64 * 1024,
  maxConnections: 256,
  maxConnectionsOfAddress: 128,
  maxRequestsOfAddress: 1000,
  headersTimeoutMillis: 5000,
  requestTimeoutMillis: 10_000,
  timeoutCheckMillis: 1000,
  keepAliveMillis: 75_000,
  closeGraceMillis: 1000,
};

/**
 * Serves `/metrics`, `/healthz` and `/readyz`.
 *
 * @throws CategorizedError `validator_internal` when the port cannot be bound; the pipeline can run without this
 * server.
 */
export function startMetricsServer(options: MetricsServerOptions): Promise<HttpServer> {
  const { host, port, render, ready, deadlineMillis = DEFAULT_DEADLINE_MILLIS } = options;
  const onError = guarded(options.onError ?? (() => undefined));
  return startHttpServer({
    host,
    port,
    limits: LIMITS,
    routes: metricsRoutes({ render, ready, deadlineMillis, onError }),
    toMissingReply,
    toErrorReply: (error) => {
      if (error instanceof RefusedRequest) return textReply(error.statusCode, error.message);
      onError(error);
      return textReply(500, 'internal error');
    },
    toListenError: (cause) =>
      new CategorizedError('validator_internal', listenErrorMessage(port, cause), { cause }),
    onError,
  });
}

/** Wraps a listener so that it cannot throw into the server. */
function guarded(listener: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      listener(error);
    } catch {
      // An error of the error listener has no further receiver.
    }
  };
}

function listenErrorMessage(port: number, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const advice = 'set BAROGRAPH_METRICS_PORT to a free port, or to 0 for any';
  if (code === 'EADDRINUSE') return `the metrics port ${port} is taken by another program; ${advice}`;
  if (code === 'EACCES') return `the metrics port ${port} needs rights that this program lacks; ${advice}`;
  return `the metrics port ${port} cannot be opened (${String(code)}); ${advice}, and check the host`;
}
