import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { compressionAlgorithms, Server, status } from '@grpc/grpc-js';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { describe, expect, it, vi } from 'vitest';
import type { SinkReport } from '#ingest';
import type { ObservedSpan } from '#facts/observed-span';
import { call, connection, framed, opened, retryInfoOf, statusOf } from './support/calling.ts';
import { attribute, bytes, identity, request } from './support/protobuf.ts';
import { queryStep, sdkSpans } from './support/sdk-spans.ts';
import { send, serving, slowSink } from './support/serving.ts';

const STEP = [...identity, ...attribute(9, 'weather.step.name', bytes(1, 'query'))];
const ONE_SPAN = request([STEP]);
/** On a port that the kernel chooses. */
const GRPC = { grpcPort: 0 };

describe('the gRPC side of the ingest server', () => {
  it.each([
    ['as it is', compressionAlgorithms.identity],
    ['packed by zlib', compressionAlgorithms.deflate],
    ['packed by gzip', compressionAlgorithms.gzip],
  ] as const)('a message %s is taken, and its spans are the same', async (_how, compression) => {
    await serving(GRPC, async ({ server, taken }) => {
      expect((await call(server, { body: ONE_SPAN, compression })).code).toBe(status.OK);
      expect(taken).toMatchObject([{ phase: 'started', spanId: '00f067aa0ba902b7' }]);
    });
  });

  it('a message that a sender packs by nothing is taken, although its call has an encoding', async () => {
    await serving(GRPC, async ({ server, taken }) => {
      const session = await connection(server);
      const stream = opened(session, { 'grpc-encoding': 'gzip' });
      stream.end(framed(ONE_SPAN));
      expect((await statusOf(stream))[0]).toBe(status.OK);
      expect(taken).toHaveLength(1);
      session.destroy();
    });
  });

  it('a message that comes byte by byte is taken', async () => {
    await serving(GRPC, async ({ server, taken }) => {
      const session = await connection(server);
      const stream = opened(session);
      for (const byte of framed(ONE_SPAN)) stream.write(Buffer.of(byte));
      stream.end();
      expect((await statusOf(stream))[0]).toBe(status.OK);
      expect(taken).toHaveLength(1);
      session.destroy();
    });
  });

  it('a call is answered only when its spans are durable', async () => {
    const { deliver, begun, letGo } = slowSink();
    await serving({ ...GRPC, deliver }, async ({ server }) => {
      let isAnswered = false;
      const answered = call(server, { body: ONE_SPAN }).finally(() => (isAnswered = true));
      await begun;
      // Another call makes the round trip; the first one has no answer yet.
      expect((await call(server, { path: '/x.Y/Z' })).code).toBe(status.UNIMPLEMENTED);
      expect(isAnswered).toBe(false);
      letGo();
      expect((await answered).code).toBe(status.OK);
    });
  });

  it('spans that are refused are named to the sender by partialSuccess, and the others are written', async () => {
    await serving(GRPC, async ({ server, taken }) => {
      const body = request([STEP, [...STEP.slice(0, 18), ...STEP.slice(28)]]);
      const seen = await call(server, { body });
      expect(seen.code).toBe(status.OK);
      expect(ProtobufTraceSerializer.deserializeResponse(seen.body)).toMatchObject({
        partialSuccess: { rejectedSpans: 2, errorMessage: expect.stringContaining('span id ""') as string },
      });
      expect(taken).toHaveLength(1);
    });
  });

  it.each([
    ['cut off', ONE_SPAN.subarray(0, 9), {}, false, status.INVALID_ARGUMENT, /should follow byte/],
    [
      'packed and cut off',
      gzipSync(ONE_SPAN).subarray(0, 12),
      { 'grpc-encoding': 'gzip' },
      true,
      status.INVALID_ARGUMENT,
      /no gzip, or a part of one/,
    ],
    [
      'not packed as it says',
      ONE_SPAN,
      { 'grpc-encoding': 'gzip' },
      true,
      status.INVALID_ARGUMENT,
      /no gzip/,
    ],
    [
      'packed otherwise',
      ONE_SPAN,
      { 'grpc-encoding': 'snappy' },
      true,
      status.UNIMPLEMENTED,
      /"snappy"; allowed: gzip, deflate, zstd/,
    ],
    [
      'for another host',
      ONE_SPAN,
      { ':authority': 'evil.example.org' },
      false,
      status.PERMISSION_DENIED,
      /allowed on 127.0.0.1/,
    ],
    [
      'of a web page',
      ONE_SPAN,
      { origin: 'http://example.org' },
      false,
      status.PERMISSION_DENIED,
      /web pages/,
    ],
  ] as const)(
    'a message that is %s is refused for good, with the reason',
    async (_what, message, headers, isPacked, code, text) => {
      await serving(GRPC, async ({ server, taken, problems }) => {
        const session = await connection(server);
        const stream = opened(session, headers);
        stream.end(framed(message, { isPacked }));
        const [got, details] = await statusOf(stream);
        expect(got).toBe(code);
        expect(details).toMatch(text);
        expect([taken, problems]).toEqual([[], []]);
        session.destroy();
      });
    },
  );

  it('a call without a message, or with two, is refused and takes nothing', async () => {
    await serving(GRPC, async ({ server, taken }) => {
      const session = await connection(server);
      for (const message of [Buffer.alloc(0), Buffer.concat([framed(ONE_SPAN), framed(ONE_SPAN)])]) {
        const stream = opened(session);
        stream.end(message);
        expect((await statusOf(stream))[0]).toBe(status.UNIMPLEMENTED);
      }
      expect(taken).toEqual([]);
      session.destroy();
    });
  });

  it.each([
    ['too large by its prefix', { body: Buffer.alloc(1001) }],
    [
      'too large when it is unpacked',
      { body: Buffer.alloc(100_000), compression: compressionAlgorithms.gzip },
    ],
  ] as const)(
    'a message that is %s is refused for good, and its sender is told to split it',
    async (_what, sent) => {
      await serving({ ...GRPC, limits: { maxBodyBytes: 1000 } }, async ({ server, taken }) => {
        const { code, details, retryInfo } = await call(server, sent);
        expect([code, retryInfo]).toEqual([status.RESOURCE_EXHAUSTED, undefined]);
        expect(details).toBe('The body is larger than 1000 bytes. Send fewer spans in one request.');
        expect(taken).toEqual([]);
      });
    },
  );

  it('a message of exactly the largest size is taken, and one byte more is not', async () => {
    await serving(GRPC, async ({ server, taken }) => {
      // A span, and one field that nobody knows: its tag, four bytes of its length, zeros.
      const body = Buffer.alloc(16 * 2 ** 20);
      const rest = body.length - ONE_SPAN.length - 5;
      ONE_SPAN.copy(body);
      body.set(
        [0x1a, ...[0, 7, 14].map((bits) => ((rest >> bits) & 127) | 128), rest >> 21],
        ONE_SPAN.length,
      );
      expect((await call(server, { body })).code).toBe(status.OK);
      const { code } = await call(server, { body: Buffer.concat([body, Buffer.alloc(1)]) });
      expect([code, taken.length]).toEqual([status.RESOURCE_EXHAUSTED, 1]);
    });
  });

  it.each(['metrics.v1.MetricsService', 'logs.v1.LogsService', 'profiles.v1development.ProfilesService'])(
    'a call of %s is told what is taken instead',
    async (service) => {
      await serving(GRPC, async ({ server }) => {
        const path = `/opentelemetry.proto.collector.${service}/Export`;
        const { code, details } = await call(server, { path, body: ONE_SPAN });
        expect(code).toBe(status.UNIMPLEMENTED);
        expect(details).toContain('traces alone: opentelemetry.proto.collector.trace.v1.TraceService/Export');
        expect(details).toContain('OTEL_METRICS_EXPORTER');
      });
    },
  );

  it('an error on our side is told to us alone', async () => {
    const deliver = async (): Promise<SinkReport> => ({ kind: 'rejected', error: new Error('first') });
    const problems: unknown[] = [];
    const onProblem = (error: unknown): void => {
      problems.push(error);
      if (problems.length === 1) throw new Error('second, of whom was told');
    };
    await serving({ ...GRPC, deliver, onProblem }, async ({ server }) => {
      const { code, details } = await call(server, { body: ONE_SPAN });
      expect([code, details]).toEqual([status.INTERNAL, 'Internal error; the receiver has the details.']);
      expect(problems).toHaveLength(2);
    });
  });

  it('instrumentation of gRPC in the same process makes no span of a call', async () => {
    // As @opentelemetry/instrumentation-grpc does: it patches the registration, and its handler makes the span.
    const original = Reflect.get(Server.prototype, 'register') as (...of: unknown[]) => boolean;
    const register = vi.spyOn(Server.prototype, 'register');
    const traced: string[] = [];
    register.mockImplementation(function (this: Server, name, handler, ...rest) {
      const patched = (...of: unknown[]): void => {
        traced.push(name);
        Reflect.apply(handler, null, of);
      };
      return Reflect.apply(original, this, [name, patched, ...rest]);
    });
    try {
      await serving(GRPC, async ({ server, taken }) => {
        expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
        expect([taken.length, traced]).toEqual([1, []]);
      });
    } finally {
      register.mockRestore();
    }
  });
});

describe('the token of a gRPC call', () => {
  const tokens = [
    { token: 's3cret', validators: null },
    { token: 'b0und', validators: new Set(['5Other']) },
  ];

  it.each([
    ['no token', {}, status.UNAUTHENTICATED],
    ['another token', { authorization: 'Bearer wrong' }, status.UNAUTHENTICATED],
    ['the token in another scheme', { authorization: 'Basic s3cret' }, status.UNAUTHENTICATED],
    ['the token', { authorization: 'Bearer s3cret' }, status.OK],
  ])('a call with %s, in metadata %j, gets the code %i', async (_what, metadata, expected) => {
    await serving({ ...GRPC, tokens }, async ({ server, taken }) => {
      const { code, details } = await call(server, { body: ONE_SPAN, metadata });
      expect(code).toBe(expected);
      expect(taken).toHaveLength(expected === status.OK ? 1 : 0);
      expect(details).not.toContain('s3cret');
    });
  });

  it('a span of a validator for which the token does not speak is refused by partialSuccess, and counted', async () => {
    const refused: [string, number][] = [];
    const onRefused = (reason: string, spans: number): void => void refused.push([reason, spans]);
    await serving({ ...GRPC, tokens, onRefused }, async ({ server, taken }) => {
      const metadata = { authorization: 'Bearer b0und' };
      const { code, body } = await call(server, { body: ONE_SPAN, metadata });
      expect([code, body.toString()]).toEqual([status.OK, expect.stringContaining('may speak for: 5Other')]);
      expect([taken, refused]).toEqual([[], [['other_validator', 1]]]);
    });
  });

  it('a call without its token is refused before its message has come', async () => {
    await serving({ ...GRPC, tokens }, async ({ server }) => {
      const session = await connection(server);
      expect((await statusOf(opened(session)))[0]).toBe(status.UNAUTHENTICATED);
      session.destroy();
    });
  });
});

describe('a gRPC call while spans cannot be kept', () => {
  it('a sender is told by RetryInfo when to come again, and nothing that it sends again is lost', async () => {
    const kept: ObservedSpan[] = [];
    let refusals = 2;
    const deliver = async (spans: readonly ObservedSpan[]): Promise<SinkReport> => {
      if (refusals-- > 0) return { kind: 'retryable', error: new Error('the spool at 192.0.2.1 is full') };
      kept.push(...spans);
      return { kind: 'written' };
    };
    await serving({ ...GRPC, deliver }, async ({ server }) => {
      const seen = await call(server, { body: ONE_SPAN });
      expect(seen.code).toBe(status.UNAVAILABLE);
      expect(seen.retryInfo).toEqual(retryInfoOf(seen, 5));
      expect(seen.details).not.toContain('192.0.2.1');
      // The exporter of the SDK for JavaScript gives up at once, and says so: its caller has to come again.
      const exporter = new OTLPTraceExporter({ url: server.grpcUrl ?? '' });
      const spans = [...sdkSpans([{ attributes: queryStep() }])];
      const exported = (): Promise<ExportResult> => new Promise((resolve) => exporter.export(spans, resolve));
      expect(await exported()).toMatchObject({
        code: ExportResultCode.FAILED,
        error: { code: status.UNAVAILABLE },
      });
      expect((await exported()).code).toBe(ExportResultCode.SUCCESS);
      await exporter.shutdown();
      expect(kept).toMatchObject([{ attributes: { 'weather.step.name': 'query' } }]);
    });
  });
});

describe('the doors of the gRPC side', () => {
  it('calls beyond the slots are told when to come again, over HTTP as over gRPC', async () => {
    const { deliver, begun, letGo } = slowSink();
    await serving({ ...GRPC, deliver, limits: { maxRequests: 1 } }, async ({ server }) => {
      const first = call(server, { body: ONE_SPAN });
      await begun;
      const second = await call(server, { body: ONE_SPAN });
      expect(second.code).toBe(status.UNAVAILABLE);
      expect(second.retryInfo).toEqual(retryInfoOf(second, 1));
      expect((await send(server, { body: ONE_SPAN })).status).toBe(503);
      letGo();
      expect((await first).code).toBe(status.OK);
      expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
    });
  });

  it('messages that are half sent take no slot, and their bytes come out of the budget of all requests', async () => {
    const limits = {
      ...{ maxArrivedBytes: 2000, maxBodyBytes: 2000 },
      ...{ maxRequests: 1, slowBodyMillis: Infinity },
    };
    await serving({ ...GRPC, limits }, async ({ server }) => {
      const session = await connection(server);
      const half = opened(session);
      half.write(framed(Buffer.alloc(900), { length: 1000 }));
      expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
      const more = opened(session);
      more.write(framed(Buffer.alloc(1090), { length: 1200 }));
      let seen = await call(server, { body: ONE_SPAN });
      while (seen.code === status.OK) seen = await call(server, { body: ONE_SPAN });
      expect(seen.retryInfo).toEqual(retryInfoOf(seen, 1));
      expect((await send(server, { body: ONE_SPAN })).status).toBe(503);
      session.destroy();
      while (seen.code !== status.OK) seen = await call(server, { body: ONE_SPAN });
      expect((await send(server, { body: ONE_SPAN })).status).toBe(200);
    });
  });

  it('a message that has stopped to come gives way to one that comes', async () => {
    const limits = { maxArrivedBytes: 2000, maxBodyBytes: 2000, slowBodyMillis: 0 };
    await serving({ ...GRPC, limits }, async ({ server, taken }) => {
      const session = await connection(server);
      const silent = opened(session);
      silent.write(framed(Buffer.alloc(1990), { length: 1999 }));
      const closed = new Promise((resolve) => silent.once('close', resolve));
      const refused = statusOf(silent);
      for (let count = 0; count < 20; count += 1)
        expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
      const [code, details] = await refused;
      expect([code, details]).toEqual([status.UNAVAILABLE, expect.stringContaining('too slowly')]);
      await closed;
      expect(taken).toHaveLength(20);
      session.destroy();
    });
  });

  it('a call whose message has stopped to come gives way to a new one, when an address has all it may have', async () => {
    const limits = { maxConnectionsOfAddress: 3, slowBodyMillis: 0 };
    await serving({ ...GRPC, limits }, async ({ server, taken }) => {
      const session = await connection(server);
      const silent = [opened(session), opened(session), opened(session)];
      for (const stream of silent) stream.write(framed(Buffer.alloc(10), { length: 1000 }));
      const [refused] = silent.map((stream) => statusOf(stream));
      for (let count = 0; count < 5; count += 1)
        expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
      const [code, details] = (await refused) ?? [];
      expect([code, details]).toEqual([status.UNAVAILABLE, expect.stringContaining('too slowly')]);
      expect(taken).toHaveLength(5);
      session.destroy();
    });
  });

  it('a message that comes too slowly is cut off, and its stream is closed', async () => {
    await serving({ ...GRPC, limits: { requestTimeoutMillis: 100 } }, async ({ server, problems }) => {
      const session = await connection(server);
      const stream = opened(session);
      stream.write(framed(Buffer.alloc(1), { length: 100 }));
      const closed = new Promise((resolve) => stream.once('close', resolve));
      expect((await statusOf(stream))[0]).toBe(status.DEADLINE_EXCEEDED);
      await closed;
      // Nobody answers this one either; without a time-out it would stay.
      const lost = opened(session, { ':path': '/x.Y/Z' });
      await new Promise((resolve) => lost.resume().once('close', resolve));
      expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
      expect(problems).toEqual([]);
      session.destroy();
    });
  });

  it('a client that takes no reply keeps neither budget nor stream', async () => {
    const limits = { requestTimeoutMillis: 200, maxArrivedBytes: 2000, maxBodyBytes: 2000 };
    await serving({ ...GRPC, limits }, async ({ server, taken }) => {
      const session = await connection(server, { initialWindowSize: 0 });
      const stream = opened(session);
      const closed = new Promise((resolve) => stream.once('close', resolve));
      // Nearly all of the budget: a span, and a field that nobody knows.
      const padding = bytes(3, new Array<number>(1980 - ONE_SPAN.length).fill(0));
      stream.end(framed(Buffer.concat([ONE_SPAN, Buffer.from(padding)])));
      while (taken.length === 0) await new Promise(setImmediate);
      while ((await call(server, { body: ONE_SPAN })).code !== status.OK);
      await closed;
      session.destroy();
    });
  });

  it.each([
    ['nothing', ''],
    ['half of the preface', 'PRI * HTTP/2.0\r\n'],
    ['the preface without settings', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/1.1', 'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('a connection that begins with %s is closed soon', async (_what, text) => {
    await serving({ ...GRPC, limits: { headersTimeoutMillis: 100 } }, async ({ server, problems }) => {
      const client = connect(Number(new URL(server.grpcUrl ?? '').port), '127.0.0.1');
      client.on('error', () => undefined).resume();
      const closed = new Promise((resolve) => client.once('close', resolve));
      client.write(text);
      await closed;
      expect((await call(server, { body: ONE_SPAN })).code).toBe(status.OK);
      expect(problems).toEqual([]);
    });
  });

  it('a client of HTTP/1.1, which has mistaken the port, is told what to set', async () => {
    await serving(GRPC, async ({ server }) => {
      const port = Number(new URL(server.grpcUrl ?? '').port);
      const seen = await send({ port }, { body: Buffer.alloc(4 * 2 ** 20) });
      expect([seen.status, seen.body.toString()]).toEqual([
        400,
        expect.stringContaining(
          'This port takes OTLP over gRPC. OTLP over HTTP is taken on another one, 4318',
        ),
      ]);
    });
  });

  it('a connection whose first bytes come one by one is taken', async () => {
    await serving(GRPC, async ({ server }) => {
      const client = connect({
        port: Number(new URL(server.grpcUrl ?? '').port),
        host: '127.0.0.1',
        noDelay: true,
      });
      await once(client, 'connect');
      const begin = Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.from('000000040000000000', 'hex'),
      ]);
      const answered = once(client, 'data');
      for (const byte of begin) {
        client.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      const [frame] = (await answered) as [Buffer];
      expect(frame[3], 'a frame of settings').toBe(4);
      client.destroy();
    });
  });

  it('a connection without calls is closed when it has been idle', async () => {
    await serving({ ...GRPC, limits: { keepAliveMillis: 100 } }, async ({ server }) => {
      const session = await connection(server);
      await new Promise((resolve) => session.once('close', resolve));
    });
  });

  it('a client that never ends its side gives its connection back', async () => {
    const limits = { keepAliveMillis: 50, closeGraceMillis: 50, maxConnectionsOfAddress: 1 };
    await serving({ ...GRPC, limits }, async ({ server }) => {
      const port = Number(new URL(server.grpcUrl ?? '').port);
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      client.on('error', () => undefined).resume();
      client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      client.write(Buffer.from('000000040000000000', 'hex'));
      await once(client, 'end');
      while ((await call(server, { body: ONE_SPAN })).code !== status.OK);
      client.destroy();
    });
  });

  it('one address cannot take the connections and calls of all others', async () => {
    const limits = { maxConnectionsOfAddress: 2 };
    await serving({ ...GRPC, limits }, async ({ server }) => {
      const [first, second] = [await connection(server), await connection(server)];
      const third = connect(Number(new URL(server.grpcUrl ?? '').port), '127.0.0.1');
      third.on('error', () => undefined).resume();
      await new Promise((resolve) => third.once('close', resolve));
      opened(first);
      opened(first);
      expect(await statusOf(opened(first))).toEqual([status.UNAVAILABLE, 'Too many requests at once.']);
      first.destroy();
      second.destroy();
    });
  });

  it('one address that asks too often is told when to come again', async () => {
    await serving({ ...GRPC, limits: { maxRequestsOfAddress: 2 } }, async ({ server, taken }) => {
      for (const code of [status.OK, status.OK, status.UNAVAILABLE]) {
        const seen = await call(server, { body: ONE_SPAN });
        expect(seen.code).toBe(code);
        if (code !== status.OK) expect(seen.retryInfo).toEqual(retryInfoOf(seen, 2));
      }
      expect(taken).toHaveLength(2);
    });
  });
});

describe('opening and closing the gRPC side', () => {
  it('a port in use gives an error that names the port, its variable and how to do without, and leaves nothing open', async () => {
    await serving(GRPC, async ({ server }) => {
      const port = Number(new URL(server.grpcUrl ?? '').port);
      await expect(serving({ grpcPort: port }, async () => undefined)).rejects.toThrow(
        `The port ${port} of 127.0.0.1, for spans of other programs over gRPC, is taken by another program. ` +
          'Set BAROGRAPH_INGEST_GRPC_PORT to a free one, to 0 for any, or to off for none',
      );
      // The port of HTTP is taken: that of gRPC is given back.
      const free = connect(port, '127.0.0.1');
      await once(free, 'connect');
      free.destroy();
      await expect(serving({ ...GRPC, port: server.port }, async () => undefined)).rejects.toThrow(
        'BAROGRAPH_INGEST_PORT',
      );
    });
  });

  it('closing waits for calls in flight, answers them, and then accepts nothing', async () => {
    const { deliver, begun, letGo } = slowSink();
    await serving({ ...GRPC, deliver }, async ({ server }) => {
      const answered = call(server, { body: ONE_SPAN });
      await begun;
      const closed = Promise.all([server.close(), server.close()]);
      letGo();
      expect((await answered).code).toBe(status.OK);
      await closed;
      expect((await call(server, { body: ONE_SPAN })).details).toContain('ECONNREFUSED');
    });
  });

  it('closing finishes the write of a call whose sender was cut off', async () => {
    const { deliver, begun, letGo } = slowSink();
    await serving({ ...GRPC, deliver, limits: { closeGraceMillis: 1 } }, async ({ server }) => {
      const answered = call(server, { body: ONE_SPAN });
      await begun;
      let isClosed = false;
      const closing = server.close().then(() => (isClosed = true));
      expect((await answered).code).not.toBe(status.OK);
      expect(isClosed).toBe(false);
      letGo();
      expect(await closing).toBe(true);
    });
  });

  it('closing does not wait for a connection or a call that is never finished', async () => {
    await serving({ ...GRPC, limits: { closeGraceMillis: 1 } }, async ({ server }) => {
      const session = await connection(server);
      opened(session).write(framed(Buffer.alloc(1), { length: 100 }));
      const silent = connect(Number(new URL(server.grpcUrl ?? '').port), '127.0.0.1');
      silent.on('error', () => undefined);
      await once(silent, 'connect');
      await server.close();
    });
  });
});
