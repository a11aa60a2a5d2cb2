import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { attribute, bytes, identity, request } from './support/protobuf.ts';
import { send, serving, slowSink } from './support/serving.ts';

const STEP = [...identity, ...attribute(9, 'weather.step.name', bytes(1, 'query'))];
const ONE_SPAN = request([STEP]);

/** A client that writes and then keeps quiet. */
async function halfSent(port: number, text: string): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  client.resume();
  await once(client, 'connect');
  client.write(text);
  return client;
}
const headersOf = (length: number): string =>
  `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\n\r\n`;

describe('the doors of the ingest server', () => {
  it('bodies that are half sent take no slot of those that have arrived', async () => {
    await serving({ limits: { maxRequests: 1 } }, async ({ server }) => {
      const clients = [];
      for (let count = 0; count < 16; count += 1)
        clients.push(await halfSent(server.port, `${headersOf(100)}x`));
      expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
      for (const client of clients) client.destroy();
    });
  });

  it('headers that are half sent are cut off long before a whole request would be', async () => {
    const limits = { headersTimeoutMillis: 100, requestTimeoutMillis: 60_000, timeoutCheckMillis: 20 };
    await serving({ limits }, async ({ server }) => {
      const client = await halfSent(server.port, 'POST /v1/traces HTTP/1.1\r\nHost: local');
      await once(client, 'close');
      expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
    });
  });

  it('one address cannot take the connections of all others', async () => {
    await serving({ limits: { maxConnectionsOfAddress: 2 } }, async ({ server }) => {
      const [first, second] = [await halfSent(server.port, 'POST'), await halfSent(server.port, 'POST')];
      const third = await halfSent(server.port, 'POST');
      await new Promise((resolve) => third.once('close', resolve));
      expect([first.destroyed, second.destroyed]).toEqual([false, false]);
      first.destroy();
      second.destroy();
    });
  });

  it('one address that asks too often is told when to come again', async () => {
    await serving({ limits: { maxRequestsOfAddress: 2 } }, async ({ server, taken }) => {
      for (const status of [200, 200, 503]) {
        const seen = await send(server, { body: ONE_SPAN });
        expect([seen.status, seen.headers['retry-after']]).toEqual([
          status,
          status === 503 ? '2' : undefined,
        ]);
      }
      expect(taken).toHaveLength(2);
    });
  });

  it('bodies of all requests share a budget, which a client that goes away gives back', async () => {
    const limits = { maxArrivedBytes: 1000, maxBodyBytes: 1000, slowBodyMillis: Infinity };
    await serving({ limits }, async ({ server }) => {
      const client = await halfSent(server.port, `${headersOf(1000)}${'x'.repeat(990)}`);
      let seen = await send(server, { body: ONE_SPAN });
      while (seen.status === 200) seen = await send(server, { body: ONE_SPAN });
      expect([seen.status, seen.headers['retry-after']]).toEqual([503, '1']);
      client.destroy();
      while (seen.status === 503) seen = await send(server, { body: ONE_SPAN });
      expect(seen.status).toBe(200);
    });
  });

  it('a body that has stopped to come gives way to one that comes', async () => {
    const limits = { maxArrivedBytes: 1000, maxBodyBytes: 1000, slowBodyMillis: 0 };
    await serving({ limits }, async ({ server, taken }) => {
      const silent = await halfSent(server.port, `${headersOf(1000)}${'x'.repeat(990)}`);
      const answered = once(silent, 'data') as Promise<[Buffer]>;
      // The first ones may come before the half-sent one has taken all room.
      for (let count = 0; count < 20; count += 1)
        expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
      const [answer] = await answered;
      expect(answer.toString()).toMatch(/^HTTP\/1.1 503 [^]*retry-after: 1[^]*came too slowly/i);
      expect(taken).toHaveLength(20);
      silent.destroy();
    });
  });

  it('spans of all requests share a budget, which is free again when they are answered', async () => {
    const { deliver, begun, letGo } = slowSink();
    await serving({ deliver, limits: { maxItems: 1000 } }, async ({ server }) => {
      const first = send(server, { body: ONE_SPAN });
      await begun;
      const second = await send(server, { body: ONE_SPAN });
      expect([second.status, second.headers['retry-after']]).toEqual([503, '1']);
      letGo();
      expect((await first).status).toBe(200);
      expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
    });
  });

  it('spans that are none of ours are forgotten while they are read, and take nothing of the budget', async () => {
    await serving({ limits: { maxItems: 1000 } }, async ({ server, taken }) => {
      const strangers = Array.from({ length: 5000 }, () => identity);
      expect((await send(server, { body: request([...strangers, STEP]) })).status).toBe(200);
      expect(taken).toHaveLength(1);
    });
  });

  it.each([
    ['localhost', 200],
    ['LOCALHOST:4318', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:4318', 200],
    ['evil.example.org', 403],
    ['127.0.0.1.example.org:4318', 403],
  ])(
    'a request to the host %s on a loopback address gets %i, so that no web page can rebind its name',
    async (host, status) => {
      await serving({}, async ({ server }) => {
        const seen = await send(server, { body: ONE_SPAN, headers: { host } });
        expect(seen.status).toBe(status);
        if (status === 403) expect(seen.body.toString()).toContain('allowed on 127.0.0.1: localhost');
      });
    },
  );

  it('a request to any host is taken on an address that is not loopback, where tokens guard', async () => {
    await serving(
      { host: '0.0.0.0', tokens: [{ token: 's3cret', validators: null }] },
      async ({ server }) => {
        const headers = { host: 'recorder.example.org', authorization: 'Bearer s3cret' };
        expect((await send(server, { body: ONE_SPAN, headers })).status).toBe(200);
      },
    );
  });

  it.each([
    [
      'where gRPC is taken',
      0,
      /gRPC is taken on port \d+: set OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127.0.0.1:\d+\./,
    ],
    ['that gRPC is off', null, /gRPC is off here \(BAROGRAPH_INGEST_GRPC_PORT\)/],
  ])(
    'a client of gRPC at the port of HTTP is told %s, and what else to set',
    async (_what, grpcPort, where) => {
      await serving({ grpcPort }, async ({ server }) => {
        const client = connectHttp2(server.url);
        client.on('error', () => undefined);
        const [code, , text] = (await once(client, 'goaway')) as [number, number, Buffer];
        expect([code, text.toString()]).toEqual([
          constants.NGHTTP2_HTTP_1_1_REQUIRED,
          expect.stringContaining('OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf'),
        ]);
        expect(text.toString()).toMatch(where);
        client.destroy();
        expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
      });
    },
  );
});
