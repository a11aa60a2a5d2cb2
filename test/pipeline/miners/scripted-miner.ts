import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Miner } from '#pipeline/miners/index';

export const HOTKEY = '5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX';
export const JOB_ID = 'c868cfc6-3641-44c6-82f7-3d0eb3a0d155';
export const MANIFEST_HASH = 'ab'.repeat(32);
export const ACCESS = {
  token: 'secret-token-of-the-test',
  storePath: '/forecasts/a.zarr',
  manifestHash: MANIFEST_HASH,
};

/** A request as the miner got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ScriptedMiner extends AsyncDisposable {
  readonly miner: Miner;
  readonly received: readonly Received[];
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** A miner on the loopback interface that handles every request as the test defines. */
export async function startScriptedMiner(
  answer: (response: ServerResponse, request: Received) => void,
): Promise<ScriptedMiner> {
  const received: Received[] = [];
  const server = createServer((message, response) => {
    void bodyOf(message).then((body) => {
      const request = {
        method: message.method ?? '',
        url: message.url ?? '',
        headers: message.headers,
        body,
      };
      received.push(request);
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    miner: { uid: 17, hotkey: HOTKEY, baseUrl: `http://127.0.0.1:${port}` },
    received,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with JSON. */
export const json =
  (body: unknown, statusCode = 200) =>
  (response: ServerResponse): void => {
    response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
