import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startIngestServer, type SinkReport } from '#ingest';
import { CategorizedError } from '#semconv';
import { attribute, bytes, identity, request } from './support/protobuf.ts';
import { JSON_TYPE, parsed, send, serving } from './support/serving.ts';

const STEP = [...identity, ...attribute(9, 'weather.step.name', bytes(1, 'query'))];
const ONE_SPAN = request([STEP]);
const GZIP = { 'content-encoding': 'gzip' };
const messageOf = (seen: Parameters<typeof parsed>[0]): string =>
  (parsed(seen) as { message: string }).message;

/** A zstd frame of one raw block: what an encoder writes that finds nothing to compress. */
const zstdFrame = (content: Buffer, header: readonly number[]): Buffer => {
  const block = Buffer.alloc(3);
  block.writeUIntLE(content.length * 8 + 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...header]), block, content]);
};
const ZSTD_SPAN = zstdFrame(ONE_SPAN, [0x20, ONE_SPAN.length]);
const ZSTD_STREAM = zstdFrame(ONE_SPAN, [0x00, 0x58]);
/** Some bytes that say of themselves that they are a GiB. */
const ZSTD_GIB = zstdFrame(Buffer.from('x'), [0xa0, 0, 0, 0, 0x40]);
/** Two blocks of one byte that are repeated 1,000 times each. */
const ZSTD_BLOCKS = Buffer.from('28b52ffd0058421f0078431f0078', 'hex');

/** A promise and what settles it. */
function gate<Value = void>() {
  let open: (value: Value) => void = () => undefined;
  const opened = new Promise<Value>((resolve) => (open = resolve));
  return { open, opened };
}

describe('the ingest server', () => {
  it.each([
    ['as it is', ONE_SPAN, {}],
    ['packed', gzipSync(ONE_SPAN), GZIP],
    ['with the packing named in capitals', gzipSync(ONE_SPAN), { 'content-encoding': 'GZIP' }],
    ['packed by zlib', deflateSync(ONE_SPAN), { 'content-encoding': 'deflate' }],
    ['packed by zlib without its header', deflateRawSync(ONE_SPAN), { 'content-encoding': 'deflate' }],
    ['packed by zstd', ZSTD_SPAN, { 'content-encoding': 'zstd' }],
    ['packed by zstd without a content size', ZSTD_STREAM, { 'content-encoding': 'zstd' }],
    ['declared as not packed', ONE_SPAN, { 'content-encoding': 'identity' }],
    [
      'in JSON',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","attributes":[{"key":"weather.step.name","value":{"stringValue":"query"}}]}]}]}]}',
      JSON_TYPE,
    ],
  ])('the ingest server accepts a body %s', async (_how, body, headers) => {
    await serving({}, async ({ server, taken }) => {
      const seen = await send(server, { body, headers });
      expect(seen.status).toBe(200);
      expect(seen.headers['cache-control']).toBe('no-store');
      expect(taken).toMatchObject([{ phase: 'started', spanId: '00f067aa0ba902b7' }]);
    });
  });

  it('the ingest server replies only when the spans are durable', async () => {
    const { open: write, opened: written } = gate<SinkReport>();
    const { open: begin, opened: begun } = gate();
    const deliver = () => {
      begin();
      return written;
    };
    await serving({ deliver }, async ({ server }) => {
      let isAnswered = false;
      const answered = send(server, { body: ONE_SPAN }).finally(() => (isAnswered = true));
      await begun;
      // Another request makes the round trip; the first one has no answer yet.
      expect((await send(server, { path: '/' })).status).toBe(404);
      expect(isAnswered).toBe(false);
      write({ kind: 'written' });
      expect((await answered).status).toBe(200);
    });
  });

  it.each([
    ['cut off', ONE_SPAN.subarray(0, 9), {}, 400, /should follow byte/],
    ['packed and cut off', gzipSync(ONE_SPAN).subarray(0, 12), GZIP, 400, /no gzip, or a part of one/],
    ['not packed as it says', ONE_SPAN, GZIP, 400, /no gzip/],
    [
      'zstd and cut off',
      ZSTD_SPAN.subarray(0, 20),
      { 'content-encoding': 'zstd' },
      400,
      /no zstd, or a part of one/,
    ],
    ['no zstd as it says', ONE_SPAN, { 'content-encoding': 'zstd' }, 400, /no zstd/],
    [
      'packed otherwise',
      ONE_SPAN,
      { 'content-encoding': 'br' },
      415,
      /"br"; allowed: gzip, deflate, zstd, identity/,
    ],
    [
      'of another type',
      ONE_SPAN,
      { 'content-type': 'text/plain' },
      415,
      /text\/plain.*; allowed: application\/x-protobuf/,
    ],
    ['no JSON', '{', JSON_TYPE, 400, /it is no JSON/],
  ])(
    'the ingest server rejects a body that is %s, with the reason',
    async (_what, body, headers, status, message) => {
      await serving({}, async ({ server, taken, problems }) => {
        const seen = await send(server, { body, headers });
        expect(seen.status).toBe(status);
        expect(seen.body.toString()).toMatch(message);
        expect([taken, problems]).toEqual([[], []]);
      });
    },
  );

  it('the ingest server reads the trace id from the span, never from the headers of the request', async () => {
    await serving({}, async ({ server, taken }) => {
      const traceparent = `00-${'f'.repeat(32)}-${'e'.repeat(16)}-01`;
      const headers = { traceparent, tracestate: 'sender=1', baggage: 'weather.run.id=99' };
      expect((await send(server, { body: ONE_SPAN, headers })).status).toBe(200);
      expect(taken).toMatchObject([
        {
          traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
          parentSpanId: null,
          attributes: { 'weather.step.name': 'query' },
        },
      ]);
    });
  });

  it('the ingest server knows one path and one method, and names them', async () => {
    await serving({}, async ({ server }) => {
      const lost = await send(server, { path: '/v1/metrics', headers: JSON_TYPE });
      expect([lost.status, messageOf(lost)]).toEqual([404, 'Not found; send traces to /v1/traces.']);
      const got = await send(server, { method: 'GET' });
      expect([got.status, got.headers.allow]).toEqual([405, 'POST']);
      const head = await send(server, { method: 'HEAD' });
      expect([head.status, head.body.length]).toEqual([405, 0]);
      expect((await send(server, { path: '/v1/traces?x=1', body: ONE_SPAN })).status).toBe(200);
    });
  });

  it('the ingest server rejects web pages, which could reach a loopback listener from a browser', async () => {
    await serving({}, async ({ server, taken }) => {
      const headers = { ...JSON_TYPE, origin: 'http://example.org' };
      expect((await send(server, { body: '{}', headers })).status).toBe(403);
      expect(
        (await send(server, { method: 'OPTIONS', headers })).headers['access-control-allow-origin'],
      ).toBe(undefined);
      expect(taken).toEqual([]);
    });
  });

  it('the ingest server reports rejected spans to the sender, and writes the rest', async () => {
    const body = request([STEP, [...STEP.slice(0, 18), ...STEP.slice(28)]]);
    await serving({}, async ({ server, taken }) => {
      const seen = await send(server, { body });
      expect(seen.status).toBe(200);
      expect(seen.body.toString()).toContain('has the span id ""');
      expect(taken).toHaveLength(1);
    });
  });

  it('the ingest server replies 503 with retry-after when the sink cannot write', async () => {
    const deliver = async (): Promise<SinkReport> => ({
      kind: 'retryable',
      error: new Error('database at 192.0.2.1'),
    });
    await serving({ deliver }, async ({ server, problems }) => {
      const seen = await send(server, { body: ONE_SPAN });
      expect([seen.status, seen.headers['retry-after']]).toEqual([503, '5']);
      expect(seen.body.toString()).not.toContain('192.0.2.1');
      expect(problems).toHaveLength(1);
    });
  });

  it('the ingest server hides the message of its own errors, and lives on', async () => {
    const onProblem = (error: unknown): void => {
      if (String(error).includes('first')) throw new Error('second, of whom was told');
    };
    const deliver = async (): Promise<SinkReport> => ({ kind: 'rejected', error: new Error('first') });
    await serving({ deliver, onProblem }, async ({ server }) => {
      const seen = await send(server, { body: ONE_SPAN });
      expect(seen.status).toBe(500);
      expect(seen.body.toString()).not.toMatch(/first|second/);
      expect((await send(server, { path: '/' })).status).toBe(404);
    });
  });
});

describe('the limits of the ingest server', () => {
  const limits = { maxBodyBytes: 1000 };

  it.each([
    ['declared too large', 'x'.repeat(1001), {}],
    ['too large when it is unpacked', gzipSync('x'.repeat(1001)), GZIP],
    ['too large when zlib unpacks it', deflateSync('x'.repeat(1001)), { 'content-encoding': 'deflate' }],
    ['too large by its zstd header', ZSTD_GIB, { 'content-encoding': 'zstd' }],
    ['too large by its zstd blocks', ZSTD_BLOCKS, { 'content-encoding': 'zstd' }],
    ['too large and comes in chunks', 'x'.repeat(200_000), { 'transfer-encoding': 'chunked' }],
  ])('a body that is %s is rejected with 413 and not delivered', async (_what, body, headers) => {
    await serving({ limits }, async ({ server }) => {
      const seen = await send(server, { body, headers });
      expect(seen.status).toBe(413);
      expect(seen.body.toString()).toContain(
        'The body is larger than 1000 bytes. Send fewer spans in one request.',
      );
    });
  });

  it('a body of exactly the largest size is accepted', async () => {
    await serving({ limits }, async ({ server }) => {
      expect(messageOf(await send(server, { body: ' '.repeat(1000), headers: JSON_TYPE }))).toContain(
        'no JSON',
      );
      expect(
        (await send(server, { body: gzipSync(' '.repeat(1000)), headers: { ...GZIP, ...JSON_TYPE } })).status,
      ).toBe(400);
    });
  });

  it('requests of honest senders that come together wait for a slot, and none is refused', async () => {
    // Others come meanwhile.
    const deliver = async (): Promise<SinkReport> => {
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      return { kind: 'written' };
    };
    await serving({ deliver, limits: { maxRequests: 1 } }, async ({ server }) => {
      const sent = Array.from({ length: 20 }, () => send(server, { body: ONE_SPAN }));
      expect((await Promise.all(sent)).map(({ status }) => status)).toEqual(Array.from(sent, () => 200));
    });
  });

  it('requests that wait too long for a slot get 503, and a freed slot is used again', async () => {
    const { open: write, opened: written } = gate<SinkReport>();
    const { open: begin, opened: begun } = gate();
    const deliver = () => {
      begin();
      return written;
    };
    await serving({ deliver, limits: { maxRequests: 1, slotPatienceMillis: 1 } }, async ({ server }) => {
      const first = send(server, { body: ONE_SPAN });
      await begun;
      const second = await send(server, { body: ONE_SPAN });
      expect([second.status, second.headers['retry-after']]).toEqual([503, '1']);
      write({ kind: 'written' });
      expect((await first).status).toBe(200);
      expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
    });
  });

  it('a client that sends too slowly is cut off, and its slot is free again', async () => {
    const slow = { maxRequests: 1, requestTimeoutMillis: 250, timeoutCheckMillis: 20 };
    await serving({ limits: slow }, async ({ server, problems }) => {
      const client = connect(server.port, '127.0.0.1');
      let answer = '';
      client.on('data', (chunk) => (answer += chunk.toString()));
      client.on('error', () => undefined);
      client.write(
        'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\nx',
      );
      await once(client, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
      expect(problems).toEqual([]);
    });
  });
});

describe('the token of the ingest server', () => {
  it.each([
    ['no token', {}, 401],
    ['another token', { authorization: 'Bearer wrong' }, 401],
    ['a part of the token', { authorization: 'Bearer s3cre' }, 401],
    ['the token in another scheme', { authorization: 'Basic s3cret' }, 401],
    ['the token', { authorization: 'Bearer s3cret' }, 200],
    ['the token, its scheme in small letters', { authorization: 'bearer  s3cret' }, 200],
  ])('a request with %s, in headers %j, gets %i', async (_what, headers, status) => {
    await serving({ tokens: [{ token: 's3cret', validators: null }] }, async ({ server, taken }) => {
      const seen = await send(server, { body: ONE_SPAN, headers });
      expect(seen.status).toBe(status);
      expect(taken).toHaveLength(status === 200 ? 1 : 0);
      expect(seen.headers['www-authenticate']).toBe(status === 200 ? undefined : 'Bearer');
      expect(seen.body.toString()).not.toContain('s3cret');
    });
  });

  it('the ingest server does not listen beyond loopback without a token', async () => {
    const options = {
      port: 0,
      deliver: async () => ({ kind: 'written' }) as const,
      onProblem: () => undefined,
    };
    const opening = startIngestServer({ ...options, host: '0.0.0.0', tokens: [] });
    await expect(opening).rejects.toThrow(/BAROGRAPH_INGEST_TOKEN/);
    await serving(
      { host: '0.0.0.0', tokens: [{ token: 's3cret', validators: null }] },
      async ({ server }) => {
        expect((await send(server, { body: ONE_SPAN })).status).toBe(401);
      },
    );
  });
});

describe('opening and closing the ingest server', () => {
  it('a port in use gives an error that names the port and its variable', async () => {
    await serving({}, async ({ server }) => {
      const again = serving({ port: server.port }, async () => undefined);
      await expect(again).rejects.toBeInstanceOf(CategorizedError);
      await expect(again).rejects.toThrow(
        `The port ${server.port} of 127.0.0.1, for spans of other programs, is taken`,
      );
      await expect(again).rejects.toThrow(/BAROGRAPH_INGEST_PORT/);
    });
  });

  it('closing the ingest server waits for writes in flight, replies, and then accepts nothing', async () => {
    const { open: write, opened: written } = gate<SinkReport>();
    const { open: begin, opened: begun } = gate();
    const deliver = () => {
      begin();
      return written;
    };
    await serving({ deliver }, async ({ server }) => {
      const answered = send(server, { body: ONE_SPAN, headers: { connection: 'keep-alive' } });
      await begun;
      const closed = Promise.all([server.close(), server.close()]);
      write({ kind: 'written' });
      expect(await answered).toMatchObject({ status: 200, headers: { connection: 'close' } });
      await closed;
      await expect(send(server, { body: ONE_SPAN })).rejects.toThrow('ECONNREFUSED');
    });
  });

  it('closing the ingest server finishes the write of a request whose sender was cut off', async () => {
    const { open: write, opened: written } = gate<SinkReport>();
    const { open: begin, opened: begun } = gate();
    const deliver = () => {
      begin();
      return written;
    };
    await serving({ deliver, limits: { closeGraceMillis: 1 } }, async ({ server }) => {
      const answered = send(server, { body: ONE_SPAN });
      await begun;
      let isClosed = false;
      const closing = server.close().then(() => (isClosed = true));
      await expect(answered).rejects.toThrow(/hang up|ECONNRESET/);
      expect(isClosed).toBe(false);
      write({ kind: 'written' });
      expect(await closing).toBe(true);
    });
  });

  it('closing the ingest server does not wait for a client that never finishes its request', async () => {
    await serving({ limits: { closeGraceMillis: 1 } }, async ({ server }) => {
      const client = connect(server.port, '127.0.0.1');
      client.on('error', () => undefined);
      client.resume();
      await once(client, 'connect');
      client.write(
        'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n',
      );
      // Not `once` of node:events, which rejects when the connection is reset, as it may be here.
      const disconnected = new Promise((resolve) => client.once('close', resolve));
      await server.close();
      await disconnected;
      expect(client.destroyed).toBe(true);
    });
  });
});
