import { CategorizedError } from '#semconv';
import { RefusedRequest } from './doors.ts';
import {
  startHttpServer,
  type HttpLimits,
  type HttpRequest,
  type HttpServer,
  type Route,
} from './http-server.ts';
import { jsonReply, textReply, type Reply } from './reply.ts';
import { isError } from '#semconv/message-of';

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
  slowBodyMillis: 1000,
  maxConnections: 256,
  maxConnectionsOfAddress: 128,
  maxRequestsOfAddress: 200,
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
  const code = isError(cause) && 'code' in cause ? cause.code : undefined;
  const advice = 'set BAROGRAPH_METRICS_PORT to a free port, or to 0 for any';
  if (code === 'EADDRINUSE') return `the metrics port ${port} is taken by another program; ${advice}`;
  if (code === 'EACCES') return `the metrics port ${port} needs rights that this program lacks; ${advice}`;
  return `the metrics port ${port} cannot be opened (${String(code)}); ${advice}, and check the host`;
}

/** Whether the program can work now; `reasons` are short texts for people, without secrets. */
interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** What the routes read from. */
interface RouteSources {
  /** Renders the metrics in the format that the Accept header asks for. */
  readonly render: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly ready: () => Promise<Readiness>;
  /** Deadline of each of them. Prometheus gives up a scrape after 10 s by default, so 9 s still return a reason. */
  readonly deadlineMillis: number;
  /** Receives every error; the client gets only its kind. */
  readonly onError: (error: unknown) => void;
}

/** The three routes, which answer GET and HEAD; an error of a source becomes a reply too. */
function metricsRoutes(sources: RouteSources): readonly Route[] {
  return [
    { path: '/metrics', method: 'GET', handle: ({ headers }) => metrics(sources, headers.accept) },
    { path: '/healthz', method: 'GET', handle: alive },
    { path: '/readyz', method: 'GET', handle: () => readiness(sources) },
  ];
}

/** Names the methods with 405 and the paths with 404. */
function toMissingReply(_request: HttpRequest, allowed: readonly string[]): Reply {
  if (allowed.length === 0) return textReply(404, 'not found; this server knows /metrics, /healthz, /readyz');
  const allow = allowed.join(', ');
  return textReply(405, `method not allowed; use ${allow}`, { allow });
}

/** Liveness: the event loop turns, and nothing else is checked. */
function alive(): Promise<Reply> {
  return Promise.resolve(textReply(200, 'alive'));
}

async function metrics(sources: RouteSources, accept: string | undefined): Promise<Reply> {
  try {
    const work = () => sources.render(accept);
    const rendered = await withDeadline(work, sources.deadlineMillis, { what: 'rendering the metrics' });
    return { status: 200, headers: { 'content-type': rendered.contentType }, body: rendered.body };
  } catch (error) {
    sources.onError(error);
    return textReply(500, `the metrics could not be rendered: ${kindOf(error)}`);
  }
}

/** A readiness check that throws or exceeds its deadline means not ready. */
async function readiness(sources: RouteSources): Promise<Reply> {
  const work = () => sources.ready();
  try {
    const { ready, reasons } = await withDeadline(work, sources.deadlineMillis, {
      what: 'the readiness check',
    });
    return jsonReply(ready ? 200 : 503, { ready, reasons });
  } catch (error) {
    sources.onError(error);
    return jsonReply(503, { ready: false, reasons: [`the readiness check failed: ${kindOf(error)}`] });
  }
}

/** The kind of an error; its message may contain what clients must not see. */
function kindOf(error: unknown): string {
  if (error instanceof CategorizedError) return error.category;
  return isError(error) ? error.name : typeof error;
}

/**
 * Races work against a timer that does not keep the process alive. A later result of the work is ignored.
 *
 * @throws CategorizedError `timeout` after `millis`
 */
export async function withDeadline<Value>(
  work: () => Promise<Value>,
  millis: number,
  { what }: { what: string },
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new CategorizedError('timeout', `${what} took longer than ${millis} ms`, { retryable: true })),
      millis,
    );
    timer.unref();
  });
  try {
    return await Promise.race([work(), expired]);
  } finally {
    clearTimeout(timer);
  }
}
