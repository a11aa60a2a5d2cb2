import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createArrivals, type Arrivals } from './arrivals.ts';
import {
  answerHttp2,
  limitConnectionsByAddress,
  RATE_MILLIS,
  RefusedRequest,
  requireOwnHost,
} from './doors.ts';
import { readBodies } from './read-body.ts';
import type { Reply } from './reply.ts';

const NO_RATE_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
  'retry-after': false,
};

/** One request as a route sees it. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: FastifyRequest['headers'];
  /** Whole; empty until it has arrived. */
  readonly body: Buffer;
}

/** One path of a server. */
export interface Route {
  readonly path: string;
  /** GET answers HEAD as well. */
  readonly method: 'GET' | 'POST';
  /** Called before the body is read, so that a request that is not allowed costs no memory. Throws what `toErrorReply` maps. */
  readonly admit?: (request: HttpRequest) => void | Promise<void>;
  readonly handle: (request: HttpRequest) => Promise<Reply>;
}

/** Limits against clients that are slow or many, or of another protocol. */
export interface HttpLimits {
  /** What a client is told that speaks HTTP/2, as those of gRPC do; they get the error of HTTP/1 unless given. */
  readonly http2Remedy?: string;
  /** Most bytes of a body as it is sent. */
  readonly maxBodyBytes: number;
  /** Most bytes of all bodies that have arrived in whole or part and are not answered; more get a 503. */
  readonly maxArrivedBytes: number;
  /** A body that brings less than 16 KiB for so long gives way to others when there is no room. */
  readonly slowBodyMillis: number;
  readonly maxConnections: number;
  readonly maxConnectionsOfAddress: number;
  /** Most requests of one address in two seconds; more get a 503. */
  readonly maxRequestsOfAddress: number;
  /** Time-out for the arrival of the headers. */
  readonly headersTimeoutMillis: number;
  /** Time-out for the arrival of a whole request. */
  readonly requestTimeoutMillis: number;
  /** Interval at which those time-outs are checked. */
  readonly timeoutCheckMillis: number;
  readonly keepAliveMillis: number;
  /** Grace of `close` for requests that are still arriving and replies that nobody reads. */
  readonly closeGraceMillis: number;
}

/** Address, routes and limits of a server. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly limits: HttpLimits;
  /** Room for all bodies that have arrived; `maxArrivedBytes` for this server alone unless given. */
  readonly arrivals?: Arrivals;
  /** The reply to a request that no route takes: 404, or 405 with the methods that its path has. */
  readonly toMissingReply: (request: HttpRequest, allowed: readonly string[]) => Reply;
  /** The reply to what a route threw, or to a RefusedRequest of the server itself. */
  readonly toErrorReply: (error: unknown, request: HttpRequest) => Reply;
  /** The error for a port that cannot be bound, with what to do. */
  readonly toListenError: (cause: unknown) => Error;
  /** Receives errors of the server itself, and replies that could not be sent. */
  readonly onError: (error: unknown) => void;
}

/** A server that listens. */
export interface HttpServer {
  /** The bound port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting requests and resolves when those in flight are handled and have their replies. Idempotent. */
  readonly close: () => Promise<void>;
}

/** Starts a server of Barograph: `/metrics` and health, or the intake of spans. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, limits, routes, toListenError } = options;
  const app = createApp(limits);
  readBodies(app, {
    maxBodyBytes: limits.maxBodyBytes,
    arrivals: options.arrivals ?? createArrivals(limits),
  });
  limitConnectionsByAddress(app.server, limits.maxConnectionsOfAddress);
  await app.register(rateLimit, {
    max: limits.maxRequestsOfAddress,
    timeWindow: RATE_MILLIS,
    addHeaders: NO_RATE_HEADERS,
    addHeadersOnExceeding: NO_RATE_HEADERS,
    // Not 429, which some senders of spans treat as final.
    errorResponseBuilder: () =>
      new RefusedRequest(503, 'Too many requests of this address.', RATE_MILLIS / 1000),
  });
  app.addHook('onRequest', async ({ headers }) => {
    requireOwnHost(host, headers.host);
    await Promise.resolve();
  });
  const inFlight = new Set<Promise<unknown>>();
  let isClosing = false;
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    // A keep-alive connection would delay the close of the server.
    if (isClosing) reply.header('connection', 'close');
  });
  answerErrors(app, options);
  for (const route of routes) addRoute(app, route, inFlight);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw toListenError(cause);
  }
  app.server.on('error', options.onError);
  let closing: Promise<void> | undefined;
  return {
    port: (app.server.address() as AddressInfo).port,
    close: () => {
      isClosing = true;
      return (closing ??= close(app, inFlight, limits));
    },
  };
}

function createApp(limits: HttpLimits): FastifyInstance {
  const app = fastify({
    http: {
      // Node.js exchanges the two when the headers have more time than the whole request.
      headersTimeout: Math.min(limits.headersTimeoutMillis, limits.requestTimeoutMillis),
      connectionsCheckingInterval: limits.timeoutCheckMillis,
    },
    requestTimeout: limits.requestTimeoutMillis,
    keepAliveTimeout: limits.keepAliveMillis,
    exposeHeadRoutes: false,
    ...(limits.http2Remedy !== undefined && { clientErrorHandler: answerHttp2(limits.http2Remedy) }),
  });
  app.server.maxConnections = limits.maxConnections;
  // Instrumentation of node:http patches the class; a request to us is no span of the program.
  app.server.emit = EventEmitter.prototype.emit.bind(app.server);
  return app;
}

function addRoute(
  app: FastifyInstance,
  { path, method, admit, handle }: Route,
  inFlight: Set<Promise<unknown>>,
): void {
  app.route({
    url: path,
    method: method === 'GET' ? ['GET', 'HEAD'] : method,
    onRequest: async (request) => {
      await admit?.(toHttpRequest(request));
    },
    handler: async (request, reply) => {
      const handled = handle(toHttpRequest(request)).finally(() => inFlight.delete(handled));
      inFlight.add(handled);
      return send(reply, await handled);
    },
  });
}

/** Every error becomes a reply. A reply that cannot be sent costs its client the connection, and nobody else anything. */
function answerErrors(app: FastifyInstance, options: HttpServerOptions): void {
  const { routes, toMissingReply, toErrorReply, onError } = options;
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const asked = toHttpRequest(request);
    const allowed = routes
      .filter(({ path }) => path === asked.path)
      .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    return send(reply, toMissingReply(asked, allowed));
  });
  app.setErrorHandler(async (error: FastifyFault, request, reply) => {
    if (error.code === 'ERR_INVALID_CHAR' || reply.raw.headersSent) {
      onError(error);
      reply.hijack();
      reply.raw.destroy();
      return reply;
    }
    // Its rest is drained, so that the client can read the reply.
    request.raw.resume();
    return send(reply, toErrorReply(toRefusal(error), toHttpRequest(request)));
  });
}

/** Errors of routes and of fastify. */
type FastifyFault = Error & { readonly code?: string; readonly statusCode?: number };

/** What fastify itself refuses (a URL or a content type that it cannot parse) as a refusal of ours. */
function toRefusal(error: FastifyFault): unknown {
  const { code = '', statusCode = 500, message } = error;
  return code.startsWith('FST_') && statusCode < 500 ? new RefusedRequest(statusCode, message) : error;
}

const NO_BODY = Buffer.alloc(0);

function toHttpRequest({ method, url, headers, body }: FastifyRequest): HttpRequest {
  const [path = '/'] = url.split('?', 1);
  return { method, path, headers, body: Buffer.isBuffer(body) ? body : NO_BODY };
}

/** Sends a reply; HEAD gets its length without its body. */
function send(reply: FastifyReply, { status, headers, body }: Reply): FastifyReply {
  reply.code(status).headers(headers);
  if (reply.request.method !== 'HEAD') return reply.send(body);
  return reply.header('content-length', String(Buffer.byteLength(body))).send();
}

/** Requests in flight are handled to their end, even when the client is cut off. */
async function close(
  app: FastifyInstance,
  inFlight: ReadonlySet<Promise<unknown>>,
  { closeGraceMillis }: HttpLimits,
): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), closeGraceMillis);
  await app.close();
  clearTimeout(timer);
  await Promise.allSettled(inFlight);
}
