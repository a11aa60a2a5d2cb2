import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CategorizedError } from '#semconv';
import { send, textReply, type Reply } from './reply.ts';
import { routeRequest, type RouteSources } from './routes.ts';

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

/** A server that listens. */
export interface MetricsServer {
  /** The bound port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting requests and resolves when those in flight have their replies. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_DEADLINE_MILLIS = 9000;
/** Grace for replies in flight: a client that does not read must not delay the shutdown. */
const CLOSE_GRACE_MILLIS = 1000;

/**
 * Serves `/metrics`, `/healthz` and `/readyz`.
 *
 * @throws CategorizedError `validator_internal` when the port cannot be bound; the pipeline can run without this
 * server.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { render, ready, deadlineMillis = DEFAULT_DEADLINE_MILLIS } = options;
  const onError = guarded(options.onError ?? (() => undefined));
  const sources: RouteSources = { render, ready, deadlineMillis, onError };
  const server = createServer((request, response) => {
    reply(sources, request)
      .then((answered) => {
        // A keep-alive connection would delay the close of the server.
        if (!server.listening) response.shouldKeepAlive = false;
        send(response, answered);
      })
      .catch((error: unknown) => {
        onError(error);
        response.destroy();
      });
  });
  await listen(server, options);
  server.on('error', onError);
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => (closing ??= close(server)),
  };
}

/** Never rejects: an error of ours becomes a 500, and the process lives. */
async function reply(sources: RouteSources, request: IncomingMessage): Promise<Reply> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const { method = 'GET', headers } = request;
  try {
    return await routeRequest(sources, { method, path, accept: headers.accept });
  } catch (error) {
    sources.onError(error);
    return textReply(500, 'internal error');
  }
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

async function listen(server: Server, { host, port }: MetricsServerOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    throw new CategorizedError('validator_internal', listenErrorMessage(port, cause), { cause });
  }
}

function listenErrorMessage(port: number, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const advice = 'set BAROGRAPH_METRICS_PORT to a free port, or to 0 for any';
  if (code === 'EADDRINUSE') return `the metrics port ${port} is taken by another program; ${advice}`;
  if (code === 'EACCES') return `the metrics port ${port} needs rights that this program lacks; ${advice}`;
  return `the metrics port ${port} cannot be opened (${String(code)}); ${advice}, and check the host`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MILLIS);
  await closed;
  clearTimeout(timer);
}
