import { once } from 'node:events';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer, Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
} from '@grpc/grpc-js';
import {
  answerHttp1,
  createAddressLimit,
  createRateLimit,
  limitConnectionsByAddress,
  RATE_MILLIS,
  RefusedRequest,
} from '#http/doors';
import type { HttpLimits, HttpServer } from '#http/http-server';
import { type OpenCall, EXPORT_TRACES, ExportCall, type GrpcCallParts, STREAM_HEADER } from './grpc-call.ts';
import { toListenError } from './listening-address.ts';

/** The methods that are answered; all others are refused by grpc-js. */
const METHODS = [
  EXPORT_TRACES,
  ...['metrics.v1.MetricsService', 'logs.v1.LogsService', 'profiles.v1development.ProfilesService'].map(
    (service) => `/opentelemetry.proto.collector.${service}/Export`,
  ),
];
const MAX_STREAMS_OF_CONNECTION = 100;
/** MiB of a connection outside of JavaScript: its streams, their headers and what is not read. The default of Node.js, which grpc-js lifts. */
const MAX_SESSION_MEMORY = 10;
/** What a client of HTTP/1.1 is told. */
const HTTP1_REMEDY =
  'This port takes OTLP over gRPC. OTLP over HTTP is taken on another one, 4318 unless BAROGRAPH_INGEST_PORT says otherwise: ' +
  'set OTEL_EXPORTER_OTLP_ENDPOINT to it, or OTEL_EXPORTER_OTLP_PROTOCOL=grpc for this one.\n';
const PING_MILLIS = 60_000;
const PING_TIMEOUT_MILLIS = 20_000;

const serverOptions = ({ maxBodyBytes, keepAliveMillis }: HttpLimits): ServerOptions => ({
  'grpc.max_receive_message_length': maxBodyBytes,
  'grpc.max_concurrent_streams': MAX_STREAMS_OF_CONNECTION,
  'grpc-node.max_session_memory': MAX_SESSION_MEMORY,
  'grpc.keepalive_time_ms': PING_MILLIS,
  'grpc.keepalive_timeout_ms': PING_TIMEOUT_MILLIS,
  'grpc.max_connection_idle_ms': keepAliveMillis,
  'grpc.enable_channelz': 0,
});

/** What a gRPC server needs. */
export interface GrpcServerOptions extends GrpcCallParts {
  /** 0 lets the kernel choose. */
  readonly port: number;
}

/**
 * Starts an OTLP/gRPC receiver: grpc-js on a socket of ours, so that the limits of its connections are those of HTTP.
 *
 * @throws CategorizedError `validator_internal` when the port cannot be bound
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<HttpServer> {
  const { host, port, limits, onProblem } = options;
  const calls = createGrpcCalls(options);
  const server = new Server({ ...serverOptions(limits), interceptors: [calls.intercept] });
  const asItIs = (bytes: Buffer): Buffer => bytes;
  // The interceptor answers before these are called.
  for (const method of METHODS) server.register(method, () => undefined, asItIs, asItIs, 'unary');
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const http2 = http2ServerOf(server);
  http2.prependListener('stream', calls.arrive);
  http2.on('session', (session) => requireSettings(session, limits.headersTimeoutMillis));

  const listener = createServer({ noDelay: true });
  listener.maxConnections = limits.maxConnections;
  limitConnectionsByAddress(listener, limits.maxConnectionsOfAddress);
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    if (socket.destroyed) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    endWithUs(socket, limits.closeGraceMillis);
    const { headersTimeoutMillis: timeoutMillis } = limits;
    answerHttp1(socket, { remedy: HTTP1_REMEDY, timeoutMillis }, () => injector.injectConnection(socket));
  });
  try {
    listener.listen({ host, port });
    await once(listener, 'listening');
  } catch (cause) {
    throw toListenError(cause, { host, port, kind: 'grpc' });
  }
  listener.on('error', onProblem);
  let closing: Promise<void> | undefined;
  return {
    port: (listener.address() as AddressInfo).port,
    close: () => (closing ??= close({ server, listener, sockets, inFlight: calls.inFlight }, limits)),
  };
}

/**
 * The calls of a gRPC server, from their headers to their status.
 *
 * grpc-js hands out a message when it has arrived whole and is unpacked, however many do at once. So the streams are watched
 * as well: their bytes come out of the common budget while they arrive, and they are unpacked by us, one for each slot.
 *
 * The interceptor answers by itself, since instrumentation of gRPC patches the handlers: a request to us is no span of the program.
 */
function createGrpcCalls(parts: GrpcCallParts) {
  const { limits } = parts;
  const calls = new Map<string, OpenCall>();
  const inFlight = new Set<Promise<void>>();
  const ofAddress = createAddressLimit(limits.maxConnectionsOfAddress);
  const mayAsk = createRateLimit(limits.maxRequestsOfAddress, RATE_MILLIS);
  let last = 0;

  const leave = (id: string): void => {
    const call = calls.get(id);
    if (call !== undefined && calls.delete(id)) ofAddress.leave(call.address);
  };

  /**
   * Ends the oldest call whose message does not come, of an address or of all, so that a new one has room: a client that begins
   * calls and falls silent would lock all others out.
   */
  const endSlowest = (address: string | null | undefined): boolean => {
    const since = performance.now() - limits.slowBodyMillis;
    // In the order in which they came.
    for (const [id, call] of calls) {
      if (call.openedAt > since) return false;
      if (call.isWhole || (address !== null && call.address !== address)) continue;
      leave(id);
      cutOff(call, new RefusedRequest(503, 'Too many requests at once, and this one came too slowly.', 1));
      return true;
    }
    return false;
  };

  /** Called with each stream, before grpc-js sees it. */
  const arrive = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const address = stream.session?.socket.remoteAddress;
    const id = String((last += 1));
    const isAddressFull = !ofAddress.enter(address);
    const isFull = isAddressFull || calls.size >= limits.maxConnections;
    const hasRoom = !isFull || endSlowest(isAddressFull ? address : null);
    const rejection = !hasRoom ? tooMany() : mayAsk(address) ? null : tooOften();
    const [encoding] = [headers['grpc-encoding']].flat();
    const openedAt = performance.now();
    calls.set(id, { stream, address, encoding, rejection, openedAt, isWhole: false, refuse: null });
    headers[STREAM_HEADER] = id;
    delete headers['grpc-encoding'];
    const timer = setTimeout(() => cutOff(calls.get(id), tooLate()), limits.requestTimeoutMillis);
    stream.once('end', () => clearTimeout(timer));
    stream.once('close', () => {
      clearTimeout(timer);
      leave(id);
    });
  };

  const intercept: ServerInterceptor = ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => next(new ExportCall(call, { ...parts, path, calls, inFlight }).listener),
    });
  return { arrive, intercept, inFlight };
}

const tooMany = (): RefusedRequest => new RefusedRequest(503, 'Too many requests at once.', 1);
const tooOften = (): RefusedRequest =>
  new RefusedRequest(503, 'Too many requests of this address.', RATE_MILLIS / 1000);

const tooLate = (): RefusedRequest => new RefusedRequest(408, 'The request did not arrive in time.');

/** Ends a call that does not arrive in time, whether or not it is answered. */
function cutOff(arrival: OpenCall | undefined, reason: RefusedRequest): void {
  arrival?.refuse?.(reason);
  arrival?.stream.close();
}

/** The server of HTTP/2 under grpc-js, which hands out neither the bytes of a message nor its stream. */
function http2ServerOf(server: Server): Http2Server {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  const [first] = servers instanceof Map ? [...(servers as Map<unknown, unknown>).keys()] : [];
  if (first instanceof NetServer) return first as Http2Server;
  throw new Error('This version of @grpc/grpc-js does not fit: it keeps its servers elsewhere.');
}

/** Ends a connection that does not begin as HTTP/2 does. */
function requireSettings(session: ServerHttp2Session, timeoutMillis: number): void {
  const timer = setTimeout(() => session.destroy(), timeoutMillis);
  session.once('remoteSettings', () => clearTimeout(timer));
  session.once('close', () => clearTimeout(timer));
}

/** Closes a socket that we have ended, also when its client never ends it. */
function endWithUs(socket: Socket, graceMillis: number): void {
  socket.once('finish', () => {
    const timer = setTimeout(() => socket.destroy(), graceMillis);
    socket.once('close', () => clearTimeout(timer));
  });
}

interface Listening {
  readonly server: Server;
  readonly listener: NetServer;
  readonly sockets: ReadonlySet<Socket>;
  readonly inFlight: ReadonlySet<Promise<void>>;
}

/** Calls in flight are handled to their end, even when the client is cut off. */
async function close(
  { server, listener, sockets, inFlight }: Listening,
  { closeGraceMillis }: HttpLimits,
): Promise<void> {
  const timer = setTimeout(() => {
    server.forceShutdown();
    // Without its statistics grpc-js does not know its sessions, and destroys none.
    for (const socket of sockets) socket.destroy();
  }, closeGraceMillis);
  await Promise.all([
    new Promise<void>((resolve) => listener.close(() => resolve())),
    new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
  ]);
  clearTimeout(timer);
  await Promise.allSettled(inFlight);
}
