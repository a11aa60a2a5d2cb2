import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request, Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { createDatabasePool } from '#database/connect';
import { acquireAll } from '#lifecycle/resource-stack';
import { quantile } from '../harness/statistics.ts';
import type { Scale, Suite } from '../harness/suite.ts';
import { openBenchServer } from '../support/server.ts';
import { shareMeasurement } from '../whole/shared-measurement.ts';
import { temporaryDirectory } from '../whole/temporary-directory.ts';

const SPANS_PER_SECOND = 1000;
/** As many programs send what they have made in the last second. */
const REQUESTS_PER_SECOND = 20;
const SECONDS = { quick: 2, full: 20 };
const MOST_MILLIS = 20;

/**
 * Spans of other programs, from request to answer, while the database is away: an answer means that they are on the disk.
 * Sent at their times whether or not the one before is answered, and each measured from its time.
 */
export function openIngest(scale: Scale): Promise<Suite> {
  return acquireAll(async ({ add, close }) => {
    const server = await openBenchServer();
    add(() => server.close());
    const { connectionString } = await server.createDatabase();
    const directory = await temporaryDirectory();
    add(() => directory.remove());
    const recorder = await startRecorder({
      DATABASE_URL: connectionString,
      BAROGRAPH_DATA_DIR: directory.path,
      BAROGRAPH_INGEST_GRPC_PORT: 'off',
    });
    add(() => recorder.close());
    await takeAway(connectionString);
    const agent = new Agent({ keepAlive: true });
    add(() => Promise.resolve().then(() => agent.destroy()));
    let round = 0;
    // Warm-up: the first requests find code that is not compiled yet.
    await sendAll({ url: recorder.url, agent }, bodies(round, REQUESTS_PER_SECOND));
    const measure = (): Promise<readonly number[]> =>
      sendAll({ url: recorder.url, agent }, bodies((round += 1), SECONDS[scale] * REQUESTS_PER_SECOND));
    return {
      comparisons: [
        {
          name: `${SPANS_PER_SECOND} spans a second of other programs, request to answer, the database away`,
          unit: 'ms',
          sides: shareMeasurement(measure, {
            '99th percentile': (millis) => quantile(millis, 0.99),
            median: (millis) => quantile(millis, 0.5),
            longest: (millis) => Math.max(...millis),
          }),
          targets: [
            {
              what: '99th percentile',
              value: (by) => by['99th percentile'] ?? NaN,
              atMost: MOST_MILLIS,
              unit: 'ms',
            },
          ],
        },
      ],
      close,
    };
  });
}

const ROOT = join(import.meta.dirname, '../..');

/** The compiled `barograph record`, where its spans are sent, and what kills it: it would wait for a database that is away. */
async function startRecorder(environment: Readonly<Record<string, string>>) {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs')]);
  const options = ['record', '--port', '0', '--json'];
  const recorder = spawn(process.execPath, [join(ROOT, 'dist/src/cli.js'), ...options], {
    env: { PATH: process.env['PATH'] ?? '', BAROGRAPH_METRICS_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(recorder, 'exit');
  const [line] = (await Promise.race([once(recorder.stdout, 'data'), ended])) as [unknown];
  if (!Buffer.isBuffer(line)) throw new Error(`The recorder ended with ${String(line)}.`);
  const { traces } = JSON.parse(line.toString()) as { readonly traces: string };
  const close = async (): Promise<void> => {
    recorder.kill('SIGKILL');
    await ended;
  };
  return { url: traces, close };
}

/** Ends every connection to the database and admits no other. */
async function takeAway(connectionString: string): Promise<void> {
  const url = new URL(connectionString);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const pool = createDatabasePool(url.href, { maxConnections: 1, statementTimeoutMillis: 0 });
  await pool.query(`alter database ${name} allow_connections false`);
  await pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await pool.end();
}

/** Requests of a stock sender in protobuf, each with spans of its own. */
function bodies(run: number, count: number): readonly Uint8Array[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'bench',
      'service.instance.id': `bench-${run}`,
      'weather.validator.hotkey': '5Validator',
    }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('bench');
  return Array.from({ length: count }, () => {
    for (let made = 0; made < SPANS_PER_SECOND / REQUESTS_PER_SECOND; made += 1)
      tracer.startSpan('query initiate_fetch', { attributes: attributesOf(run, made) }).end();
    const body = ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans()) ?? new Uint8Array();
    exporter.reset();
    return body;
  });
}

const attributesOf = (run: number, miner: number) => ({
  'weather.run.id': run,
  'weather.run.init_time': '2026-11-23T00:00:00Z',
  'weather.miner.uid': miner,
  'weather.miner.hotkey': `5Miner${miner}`,
  'weather.step.name': 'query',
  'weather.step.substep': 'initiate_fetch',
  'weather.step.attempt': 1,
  'weather.step.max_attempts': 4,
  'weather.step.status': 'succeeded',
  'weather.stage': 'inference_running',
  'weather.response.status': 'inference_running',
});

interface Target {
  readonly url: string;
  readonly agent: Agent;
}

/** @returns how long each answer took, ms @throws Error when one is refused for good */
async function sendAll(target: Target, requests: readonly Uint8Array[]): Promise<readonly number[]> {
  const start = performance.now();
  return Promise.all(
    requests.map(async (body, index) => {
      const due = start + (index * 1000) / REQUESTS_PER_SECOND;
      await wait(Math.max(0, due - performance.now()));
      await send(target, body);
      return performance.now() - due;
    }),
  );
}

/** Sends until it is taken, as a stock sender does: after as long as a refusal says. */
async function send(target: Target, body: Uint8Array): Promise<void> {
  for (;;) {
    const { status, retryAfterSeconds } = await ask(target, body);
    if (status === 200) return;
    if (status !== 503) throw new Error(`The recorder answered ${status}.`);
    await wait(retryAfterSeconds * 1000);
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number;
}

function ask({ url, agent }: Target, body: Uint8Array): Promise<Answer> {
  const headers = { 'content-type': 'application/x-protobuf' };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      const { statusCode: status = 0 } = response;
      response.resume();
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status, retryAfterSeconds: Number(response.headers['retry-after'] ?? 1) }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
