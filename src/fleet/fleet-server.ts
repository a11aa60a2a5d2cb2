import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBounded } from '#pipeline/miners/bounded-body';
import type { MinerEndpoint } from './miner-endpoint.ts';
import { jsonResponse, type WireResponse, type WireRequest } from './wire.ts';

const LARGEST_REQUEST_BYTES = 64 * 1024;
/** `/m/{uid}` and what follows. */
const MINER_PATH = /^\/m\/(\d{1,3})(\/.*)$/;

/** Options of a fleet's server. */
export interface FleetServerOptions {
  readonly endpoints: ReadonlyMap<number, MinerEndpoint>;
  /** How long a hanging request is held before its connection is dropped, milliseconds. */
  readonly holdMillis: number;
}

/** An open server on the loopback interface. */
export interface FleetServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

async function toWireRequest(message: IncomingMessage, path: string): Promise<WireRequest> {
  // Not parsed as a URL: that would resolve ".." before the miner can reject it.
  const [bare = '', query = ''] = path.split('?', 2);
  const bearer = /^Bearer (\S+)$/.exec(message.headers.authorization ?? '')?.[1];
  const { bytes } = await readBounded(message, LARGEST_REQUEST_BYTES);
  return {
    method: message.method ?? '',
    path: bare,
    headers: message.headers,
    token: bearer ?? new URLSearchParams(query).get('token'),
    body: Buffer.from(bytes).toString(),
  };
}

function send(
  response: ServerResponse,
  statusCode: number,
  content: { type: string; bytes: Uint8Array },
): void {
  response.writeHead(statusCode, { 'content-type': content.type, 'content-length': content.bytes.length });
  response.end(content.bytes);
}

function writeResponse(reply: WireResponse, response: ServerResponse, holdMillis: number): void {
  switch (reply.kind) {
    case 'json':
      send(response, reply.statusCode, {
        type: 'application/json',
        bytes: Buffer.from(JSON.stringify(reply.body)),
      });
      break;
    case 'file':
      send(response, 200, { type: 'application/octet-stream', bytes: reply.bytes });
      break;
    case 'reset':
      response.socket?.resetAndDestroy();
      break;
    case 'hang':
      setTimeout(() => response.destroy(), holdMillis).unref();
      break;
  }
}

async function handleRequest(message: IncomingMessage, options: FleetServerOptions): Promise<WireResponse> {
  const [, uid = '', path = ''] = MINER_PATH.exec(message.url ?? '') ?? [];
  const endpoint = options.endpoints.get(Number(uid));
  if (endpoint === undefined) return jsonResponse(404, { detail: 'Not Found' });
  return endpoint.handle(await toWireRequest(message, path));
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Listens on a port that the kernel chooses; every miner has its own path prefix `/m/{uid}`. */
export async function openFleetServer(options: FleetServerOptions): Promise<FleetServer> {
  const server = createServer((message, response) => {
    handleRequest(message, options).then(
      (reply) => writeResponse(reply, response, options.holdMillis),
      () => response.destroy(),
    );
  });
  const port = await listen(server);
  let closing: Promise<void> | undefined;
  return { port, close: () => (closing ??= stop(server)) };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** A port on which nothing listens: assigned by the kernel and closed again. */
export async function findClosedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await stop(server);
  return port;
}
