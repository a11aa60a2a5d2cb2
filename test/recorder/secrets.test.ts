import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type } from '#test/commands/support/commands-of-program';
import { startIngestServer } from '#ingest';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { startRecording } from '#recorder/recording';
import { ATTRIBUTES, COMPONENT_SCORE_ATTRIBUTES, DECISION_ATTRIBUTES, EVENTS } from '#semconv';
import { readConfig } from '#src/config';
import { step } from '#steps';
import { SpoolBench } from '#test/exporters/spool/support/spool-bench';
import { queryStep, sdkSpans, type SdkSpanOptions } from '#test/ingest/support/sdk-spans';
import { send } from '#test/ingest/support/serving';
import { testDataDirectory } from '#test/support/data-directory';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { temporaryFolder } from '#test/support/temporary-folder';

/** Occurs in every secret below, and must not occur in anything that is kept or shown. */
const CANARY = 'canary7Q';
const MNEMONIC = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const LEAKED = new RegExp(`${CANARY}|winner|sausage`, 'i');

/** A text with a secret of each kind, so that each field is tried with all of them. */
const SECRETS = [
  `password is ${CANARY}`,
  `postgres://weather:${CANARY}@db/weather`,
  `GET /x?key=${CANARY}&auth=${CANARY}`,
  `token ${CANARY} rejected`,
  `curl -u weather:${CANARY} x`,
  `BT_PW=${CANARY}`,
  `seed 0x${'9f2c'.repeat(16)}`,
  `ghp_${CANARY.repeat(5).slice(0, 36)}`,
  `sk-${CANARY.repeat(3)}`,
  `cannot open ${MNEMONIC}`,
  'seed phrase: winner sausage',
].join('; ');
const JSON_SECRETS = JSON.stringify({
  secretSeed: CANARY,
  list: MNEMONIC.split(' '),
  deep: [{ error: SECRETS }],
});

const withSecrets = (table: Readonly<Record<string, { readonly type: string }>>, pattern: RegExp) =>
  Object.fromEntries(
    Object.entries(table)
      .filter(([, { type }]) => pattern.test(type))
      .map(([name, { type }]) => [name, type.includes('JSON') ? JSON_SECRETS : SECRETS]),
  );

/** All free fields of a step; its identity stays, so that it becomes rows. */
const FREE = {
  ...withSecrets(ATTRIBUTES, /^string( \(JSON\))?$/),
  ...{ 'weather.step.substep': 'initiate_fetch', 'weather.stage': 'gfs_fetch' },
  'http.request.header.authorization': [CANARY],
  'weather.unknown': SECRETS,
  api_key: CANARY,
  [`password is ${CANARY}`]: 1,
};
const EVENTS_WITH_SECRETS = [
  {
    name: EVENTS.exception,
    attributes: {
      'exception.type': SECRETS,
      'exception.message': SECRETS,
      'exception.stacktrace': `Error: ${SECRETS}\n    at x (y.ts:1:1)`,
    },
  },
  {
    name: EVENTS.decision,
    attributes: {
      ...withSecrets(DECISION_ATTRIBUTES, /^string/),
      'weather.orchestration.decision': 'query_miners',
    },
  },
  {
    name: EVENTS.componentScore,
    attributes: {
      // Part of a key, and short. A digest is none with a secret in it.
      ...Object.fromEntries(
        Object.entries(withSecrets(COMPONENT_SCORE_ATTRIBUTES, /^string$/)).filter(
          ([name]) => !name.endsWith('_digest'),
        ),
      ),
      'weather.component.score_type': 'era5',
      'weather.component.valid_time': '2026-11-24T00:00:00Z',
      'weather.component.variable_name': `password=${CANARY}`,
    },
  },
];

/** Spans of another program: one that becomes rows, and one for each field by which a span becomes a dead letter. */
const FOREIGN: readonly SdkSpanOptions[] = [
  {
    name: SECRETS,
    error: SECRETS,
    attributes: queryStep({
      ...FREE,
      'weather.step.status': 'failed',
      'error.type': 'timeout',
      'weather.lead_hours': 24,
    }),
    events: EVENTS_WITH_SECRETS,
  },
  { name: SECRETS, events: [{ name: SECRETS, attributes: { note: SECRETS } }] },
  ...Object.keys(ATTRIBUTES).map((name, at) => ({
    at: at + 10,
    attributes: queryStep({ [name]: SECRETS }),
    events: [{ name: SECRETS, attributes: { note: SECRETS } }],
  })),
];

/** The same from within: a step whose every part holds secrets. */
const leaking = step(
  {
    name: 'query',
    substep: 'initiate_fetch',
    identity: () => ({
      runId: 2,
      initTime: new Date('2026-11-23T00:00:00Z'),
      minerUid: 7,
      minerHotkey: '5Seven',
      leadHours: 24,
    }),
    attributes: () => FREE as Readonly<Record<string, unknown>> as Readonly<Record<string, string>>,
    failure: (error: unknown) => ({
      status: 'failed' as const,
      error,
      context: JSON.parse(JSON_SECRETS) as Record<string, unknown>,
      events: EVENTS_WITH_SECRETS,
    }),
  },
  () => {
    throw Object.assign(new TypeError(SECRETS, { cause: new Error(SECRETS) }), {
      code: `password=${CANARY}`,
      stack: SECRETS,
    });
  },
);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(() => vi.unstubAllEnvs());

const QUESTIONS = [
  'explain --run 2 --miner 7 --validator 1',
  'explain --run 1 --miner 7 --validator 2',
  'dead-letters list',
  'dead-letters list --json',
  'doctor',
];

/** Everything in the database, as a dump would have it. */
async function dump(): Promise<string> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const dumps = tables.map(async ({ name }) => {
    const { rows } = await database.pool.query<{ line: string }>(
      `select row::text as line from ${name} as row`,
    );
    return rows.map(({ line }) => `${name}: ${line}`);
  });
  return (await Promise.all(dumps)).flat().join('\n');
}

const filesBelow = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

async function openCollector(): Promise<{
  readonly url: string;
  readonly bodies: string[];
  readonly server: Server;
}> {
  const bodies: string[] = [];
  const server = createServer((message: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, server };
}

describe('A secret', () => {
  it('nothing of it is in tables, spool, OTLP, replies, metrics, problems and reports, by whichever field it came', async () => {
    const collector = await openCollector();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', `team=weather,note=password%20is%20${CANARY},api_key=${CANARY}`);
    const environment = {
      DATABASE_URL: database.connectionString,
      BAROGRAPH_DATA_DIR: testDataDirectory(),
      BAROGRAPH_METRICS_PORT: '0',
    };
    const problems: string[] = [];
    const onProblem = (problem: unknown): void => void problems.push(String(problem));
    const recording = await startRecording({
      config: readConfig({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
      validatorHotkey: '5Validator',
      metricsServer: true,
      traces: true,
      onProblem,
    });
    const server = await startIngestServer({
      host: '127.0.0.1',
      port: 0,
      tokens: [],
      deliver: (spans, name) => recording.receive(spans, { name, shareBytes: 2 ** 24 }),
      onProblem,
    });
    expect(leaking).toThrow();
    trace
      .getTracer('other')
      .startSpan(SECRETS, { attributes: { note: SECRETS }, links: [] })
      .end();
    const resource = {
      'weather.validator.hotkey': '5Validator',
      'service.instance.id': SECRETS,
      api_key: CANARY,
      note: SECRETS,
    };
    const body = Buffer.from(
      ProtobufTraceSerializer.serializeRequest([...sdkSpans(FOREIGN, resource)]) ?? [],
    );
    const reply = await send(server, { body });
    await recording.flush();
    const metrics = await (await fetch(recording.metricsUrl ?? '')).text();
    await server.close();
    await recording.close();
    collector.server.close();
    const reports: unknown[] = [];
    for (const question of QUESTIONS) reports.push(await type(question, environment));

    const kept = await dump();
    expect(kept).toMatch(/weather_forecast_steps_\w+: [^\n]*\[secret\]/);
    expect(kept).toMatch(/component_scores_\w+: [^\n]*\[secret\]/);
    expect(kept).toMatch(/dead_letter_spans: [^\n]*\[secret\]/);
    expect(collector.bodies.join('')).toContain('[secret]');
    expect(reply.body.toString()).toContain('[secret]');
    const shown = { kept, metrics, problems, reports, otlp: collector.bodies, reply: reply.body.toString() };
    for (const [where, text] of Object.entries(shown))
      for (const line of (typeof text === 'string' ? text : JSON.stringify(text)).split('\n'))
        if (LEAKED.test(line))
          expect.fail(
            `${where}: …${line.slice(Math.max(0, line.search(LEAKED) - 300), line.search(LEAKED) + 60)}`,
          );
  });

  it('nothing of it is in the files of a spool', async () => {
    const bench = new SpoolBench(await temporaryFolder());
    const spool = bench.open();
    const sink = { export: () => Promise.resolve({ kind: 'retryable' as const, error: new Error('away') }) };
    const processor = new RecordingSpanProcessor({ sink, queue: () => spool, flushTimeoutMillis: 0 });
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ note: SECRETS, api_key: CANARY }),
      spanProcessors: [processor],
    });
    for (const { name = 'step', attributes = {}, events = [], error } of FOREIGN) {
      const span = provider.getTracer('test').startSpan(name, { attributes }, context.active());
      for (const event of events) span.addEvent(event.name, event.attributes);
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end();
    }
    spool.flushNow();
    const files = filesBelow(bench.directory);
    await processor.shutdown();
    expect(files).toContain('[secret]');
    expect(LEAKED.exec(files)).toBeNull();
  });
});
