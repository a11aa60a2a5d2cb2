import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, connection, framed, opened, statusOf } from '#test/ingest/support/calling';
import { queryStep, sdkSpans } from '#test/ingest/support/sdk-spans';
import { send } from '#test/ingest/support/serving';
import { testDataDirectory } from '#test/support/data-directory';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

/** Length of the load; the full form has ten minutes (BAROGRAPH_HOSTILE_SECONDS=600). */
const SECONDS = Number(process.env['BAROGRAPH_HOSTILE_SECONDS'] ?? 10);
const MAX_RSS_MIB = 512;

let database: TestDatabase;
let recorder: ChildProcess;
let port: number;
let grpcUrl: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'record', '--json'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: database.connectionString,
      BAROGRAPH_METRICS_PORT: '0',
      BAROGRAPH_INGEST_PORT: '0',
      BAROGRAPH_INGEST_GRPC_PORT: '0',
      BAROGRAPH_DATA_DIR: testDataDirectory(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const places = JSON.parse(line.toString()) as { traces: string; grpc: string };
  port = Number(new URL(places.traces).port);
  grpcUrl = places.grpc;
  recorder = child;
});
afterAll(async () => {
  recorder.kill('SIGTERM');
  await once(recorder, 'exit');
  await database.drop();
});

/** The most that the recorder ever had, as the kernel counts it: a sample now and then would miss a peak. */
const peakMib = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${recorder.pid ?? 0}/status`, 'utf8'))?.[1]) / 1024;

/** Half a million spans without a field: 16 MiB and less of memory to send, hundreds to hold. */
function emptySpans(): Buffer {
  const spans = Buffer.alloc(1_000_000);
  for (let at = 0; at < spans.length; at += 2) spans[at] = 0x12;
  const field = (content: Buffer, tag: number): Buffer => {
    const length = [];
    for (let rest = content.length; ; rest = Math.floor(rest / 128)) {
      length.push((rest % 128) | (rest >= 128 ? 128 : 0));
      if (rest < 128) break;
    }
    return Buffer.concat([Buffer.from([tag, ...length]), content]);
  };
  return gzipSync(field(field(spans, 0x12), 0x0a));
}

async function attack(until: number): Promise<void> {
  const body = emptySpans();
  const headers = { 'content-encoding': 'gzip' };
  const amplified = async (): Promise<void> => {
    while (performance.now() < until)
      await send({ port }, { body, headers }).then(
        ({ status }) => (status === 503 ? pause(200) : undefined),
        () => pause(200),
      );
  };
  const halfSent = async (): Promise<void> => {
    while (performance.now() < until) {
      const client = connect(port, '127.0.0.1');
      client.on('error', () => undefined);
      client.write('POST /v1/traces HTTP/1.1\r\nHost: local');
      await pause(100);
    }
  };
  const bySixteen = (once: () => Promise<void>) => Array.from({ length: 16 }, once);
  await Promise.all([...bySixteen(amplified), halfSent(), halfSent(), attackByGrpc(until, body)]);
}

/** The same over gRPC, and sixteen bombs of gzip, connections that do not begin and calls that do not end. */
async function attackByGrpc(until: number, body: Buffer): Promise<void> {
  const bomb = gzipSync(Buffer.alloc(16 * 2 ** 20));
  const amplified = async (message: Buffer): Promise<void> => {
    while (performance.now() < until) {
      const session = await connection({ grpcUrl }).catch(() => null);
      while (session?.destroyed === false && performance.now() < until) {
        const stream = opened(session, { 'grpc-encoding': 'gzip' });
        stream.end(framed(message, { isPacked: true }));
        const ended = await Promise.race([statusOf(stream).catch(() => null), pause(5000, null)]);
        if (ended?.[0] !== status.RESOURCE_EXHAUSTED) await pause(200);
      }
      session?.destroy();
      await pause(100);
    }
  };
  const halfOpen = async (): Promise<void> => {
    while (performance.now() < until) {
      const client = connect(Number(new URL(grpcUrl).port), '127.0.0.1');
      client.on('error', () => undefined);
      client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n');
      const session = await connection({ grpcUrl }).catch(() => null);
      for (let count = 0; count < 10 && session?.destroyed === false; count += 1)
        opened(session).write(framed(Buffer.alloc(1000), { length: 2000 }));
      await pause(100);
      if (session !== null) setTimeout(() => session.destroy(), 5000).unref();
    }
  };
  const each = Array.from({ length: 16 }, () => [amplified(body), amplified(bomb)]);
  await Promise.all([...each.flat(), halfOpen(), halfOpen()]);
}

const isTakenByHttp = async (body: Buffer): Promise<boolean> =>
  (await send({ port }, { body }).catch(() => ({ status: 503 }))).status === 200;
const isTakenByGrpc = async (body: Buffer): Promise<boolean> =>
  (await call({ grpcUrl }, { body })).code === status.OK;

describe('a recorder under hostile load', () => {
  it('a recorder under hostile load keeps its memory, and every span of an honest sender', async () => {
    const until = performance.now() + SECONDS * 1000;
    const attacking = attack(until);
    const latencies: number[] = [];
    let sent = 0;
    for (; performance.now() < until; sent += 1) {
      const spans = [...sdkSpans([{ attributes: queryStep(), at: sent * 10 }])];
      const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []);
      const from = performance.now();
      // As the SDKs do: a refusal that names a time, or a connection that fails, is tried again.
      while (!(await (sent % 2 === 0 ? isTakenByHttp(body) : isTakenByGrpc(body)))) await pause(100);
      latencies.push(performance.now() - from);
      await pause(100);
    }
    await attacking;
    const peak = peakMib();
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => Math.round(latencies[Math.floor(share * latencies.length)] ?? 0);
    console.log(`honest latency p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; peak ${Math.round(peak)} MiB`);
    const recorded = async (): Promise<number> =>
      Number(
        (await database.pool.query<{ n: string }>('select count(*) as n from weather_forecast_steps')).rows[0]
          ?.n,
      );
    while ((await recorded()) < sent) await pause(100);
    expect(await recorded()).toBe(sent);
    expect(peak).toBeLessThan(MAX_RSS_MIB);
  });
});
