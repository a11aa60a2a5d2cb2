import { isDeepStrictEqual } from 'node:util';
import type { Pool } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { startRecording } from '#recorder/recording';
import { classifyError } from '#steps';
import { readConfig } from '#src/config';
import { testDataDirectory } from '../support/data-directory.ts';
import { openBreakableProxy } from '../end-to-end/support/breakable-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { playExample } from './support/example-steps.ts';
import { findPython, startPython } from './support/python-programs.ts';
import { startRecordProcess, type RecordProcess } from './support/record-process.ts';
import { eventually } from './support/running-server.ts';
import { startSendingCollector, type CollectorPacking } from './support/sending-collector.ts';
import { findCollector } from './support/server-programs.ts';

const python = findPython();

/** What of a row is chance or clock, or the language's own. */
const LEFT_OUT = {
  // The exporters of Python do not send the flags of a trace.
  sampling: ['trace_sampled'],
  ids: ['id', 'trace_id', 'span_id', 'instance_id', 'response_id', 'fold', 'facts'],
  clock: [
    ...['started_at', 'completed_at', 'latency_ms', 'finished_at', 'received_at', 'created_at', 'updated_at'],
    ...['stage_since', 'calculated_at', 'first_seen', 'last_active', 'response_time', 'last_polled_time'],
    ...['run_initiation_time', 'day1_scoring_completed_at', 'last_failed_forecast', 'recorded_at'],
  ],
};
const TABLES = {
  weather_forecast_steps: 'miner_hotkey, step_name, substep, lead_hours, attempt',
  weather_forecast_component_scores: 'miner_hotkey, score_type, lead_hours, variable_name, pressure_level',
  weather_forecast_runs: 'id',
  weather_miner_responses: 'miner_hotkey',
  weather_forecast_stats: 'miner_hotkey',
  miner_stats: 'miner_hotkey',
  dead_letter_spans: 'span_id',
};

/** In the JSON of a row: when it was, and what is the stack of the language. */
const LEFT_OUT_INSIDE = ['timestamp', 'stack', 'fingerprint'];

/** Of each rule for the words of a message one that it takes, and some that look alike. */
const MESSAGES = [
  ...[
    'Freeze of the manifest is outside its window',
    'lock timeout after 5 s',
    'could not obtain lock on row',
  ],
  ...['out of memory', 'rate limited', 'Too Many Requests', 'timed out after 45 s', 'TLS handshake: no'],
  ...['self-signed certificate', 'hotkey is not registered', 'the signature of the manifest is invalid'],
  ...['hash of store changed', 'chunk 0.0.1: checksum mismatch', 'manifest mismatch', 'inference failed'],
  ...['missing variables: t, u', 'ERA5 of 2026-11-23 is not yet published', 'worker was killed', 'SIGKILL'],
  ...['socket hang up', 'connection reset by peer', 'no such file', 'not valid JSON', 'status code 503'],
  ...['HTTP 404', 'HTTP/1.1 429', 'https://host/x 500', '502 bad gateway', 'took 4042 ms', 'status: 200', ''],
  ...['sigkill', 'weather', 'Ｔimed out', 'timeouts', 'rate\u00a0limit', 'héandshake'],
];

/** The rows without what is chance or clock. */
async function comparable(pool: Pool): Promise<Readonly<Record<string, readonly object[]>>> {
  const tables: Record<string, readonly object[]> = {};
  for (const [table, order] of Object.entries(TABLES)) {
    const { rows } = await pool.query<{ row: Record<string, unknown> }>(
      `select to_jsonb(it) - $1::text[] as row from ${table} as it order by ${order}`,
      [Object.values(LEFT_OUT).flat()],
    );
    const text = JSON.stringify(
      rows.map(({ row }) => row),
      (key, value: unknown) => (LEFT_OUT_INSIDE.includes(key) ? undefined : value),
    );
    tables[table] = JSON.parse(text) as object[];
  }
  return tables;
}

const stepsIn = async ({ pool }: TestDatabase): Promise<Readonly<Record<string, number>>> => {
  const { rows } = await pool.query<{ status: string; n: number }>(
    'select status, count(*)::int as n from weather_forecast_steps group by 1 order by 1',
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
};

/** What the books say of the one run. */
const books = async ({ pool }: TestDatabase): Promise<unknown> =>
  (
    await pool.query<object>(
      `select started::int, recorded::int, in_flight::int, spooled::int, dead::int, dropped::int, unaccounted::int,
         missing_sequences, emitter_conflicts, sender_loss
       from run_completeness`,
    )
  ).rows[0];
const COMPLETE = {
  ...{ in_flight: 0, spooled: 0, dead: 0, dropped: 0, unaccounted: 0 },
  ...{ missing_sequences: null, emitter_conflicts: null, sender_loss: null },
};

describe.skipIf(python === null)('The file for Python', () => {
  const file = 'test/servers/programs/check_step.py';

  it('changes neither values, errors, forks nor the SDK of its host, and loses nothing silently', async () => {
    await expect(startPython({ python: python ?? '', file }).finish()).resolves.toBe('');
  });

  it('finds in a message the category that TypeScript finds in it', async () => {
    const program = startPython({ python: python ?? '', file, args: ['classify'] });
    const judged: Record<string, string> = {};
    for (const message of MESSAGES) judged[message] = await program.ask(JSON.stringify(message));
    await program.finish();
    expect(judged).toEqual(
      Object.fromEntries(MESSAGES.map((message) => [message, classifyError(new Error(message))])),
    );
    expect(new Set(Object.values(judged)).size).toBeGreaterThan(15);
  });
});

describe.skipIf(python === null)('Steps of a program in Python', () => {
  const opened: { close: () => Promise<void> }[] = [];
  const newDatabase = async (): Promise<TestDatabase> => {
    const database = await createTestDatabase();
    opened.push({ close: () => database.drop() });
    return database;
  };
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  it('the five steps of the example give the rows that the same steps give in TypeScript', async () => {
    const ofPython = await newDatabase();
    const recorder = await startRecordProcess(ofPython.connectionString);
    opened.push(recorder);
    const t0 = new Date(new Date().setUTCHours(0, 0, 0, 0));
    const args = [t0.toISOString().replace('Z', '+00:00')];
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: recorder.endpoint };
    const program = startPython({ python: python ?? '', file: 'python/example.py', args, env });
    expect(await program.finish()).toBe('0 records dropped');

    const ofTypeScript = await newDatabase();
    const recording = await startRecording({
      validatorHotkey: '5Validator',
      config: readConfig({
        DATABASE_URL: ofTypeScript.connectionString,
        BAROGRAPH_DATA_DIR: testDataDirectory(),
      }),
    });
    await playExample(t0);
    await recording.close();

    const ended = await stepsIn(ofTypeScript);
    await eventually(
      async () => isDeepStrictEqual(await stepsIn(ofPython), ended),
      'the steps of the example have ended',
    );
    const expected = await comparable(ofTypeScript.pool);
    expect(expected['weather_forecast_steps']).toHaveLength(9);
    expect(expected['weather_forecast_component_scores']).toHaveLength(3);
    expect(await comparable(ofPython.pool)).toEqual(expected);
    expect(await books(ofPython)).toEqual({ ...COMPLETE, started: 9, recorded: 9 });
  });

  /** The ways of a span to the recorder; a further exporter is one line here and one in send_spans.py. */
  const WAYS: readonly { readonly exporter: string; readonly collector: CollectorPacking | null }[] = [
    { exporter: 'http/protobuf', collector: null },
    { exporter: 'grpc', collector: null },
    // opentelemetry-instrument with its defaults.
    { exporter: 'instrumented', collector: null },
    { exporter: 'http/protobuf', collector: { compression: 'gzip', encoding: 'proto' } },
    { exporter: 'http/protobuf', collector: { compression: 'zstd', encoding: 'proto' } },
    { exporter: 'http/protobuf', collector: { compression: 'none', encoding: 'json' } },
  ];
  const collector = findCollector();

  const endpointFor = (exporter: string, { endpoint, grpcEndpoint }: RecordProcess): string =>
    exporter === 'http/protobuf' ? endpoint : grpcEndpoint;

  /** A recorder with a database that can be cut off, and a stock sender; it makes the spans of the outage at its pace. */
  const openWay = async ({ exporter, collector: packing }: (typeof WAYS)[number]) => {
    const database = await newDatabase();
    const proxy = await openBreakableProxy(database.connectionString);
    opened.push({ close: () => proxy.cut() });
    const recorder = await startRecordProcess(proxy.url);
    opened.push(recorder);
    const between =
      packing === null ? null : await startSendingCollector(collector ?? '', recorder.endpoint, packing);
    if (between !== null) opened.push(between);
    const sender = startPython({
      python: python ?? '',
      file: 'test/servers/programs/send_spans.py',
      args: [exporter, String(PACE_SECONDS)],
      isInstrumented: exporter === 'instrumented',
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: between?.endpoint ?? endpointFor(exporter, recorder),
        OTEL_BSP_SCHEDULE_DELAY: '500',
        OTEL_RESOURCE_ATTRIBUTES: 'weather.validator.hotkey=5Validator,service.instance.id=instrumented-1',
      },
    });
    return { database, proxy, recorder, sender };
  };

  describe.each(WAYS)('over $exporter, by the Collector: $collector', (way) => {
    const isAbsent = way.collector !== null && collector === null;

    it.skipIf(isAbsent)('all spans of an outage of the database are recorded, once each', async () => {
      const { database, proxy, sender } = await openWay(way);
      await sender.ask(`send ${SPANS.before}`);
      await proxy.cut();
      await sender.ask(`send ${SPANS.away}`);
      await proxy.mend();
      await sender.ask(`send ${SPANS.after}`);
      await sender.finish();
      await expectAllRecorded(database);
    });

    it.skipIf(isAbsent)('a recorder that is killed between answer and commit has lost nothing', async () => {
      const { database, proxy, recorder, sender } = await openWay(way);
      await sender.ask(`send ${SPANS.before}`);
      await proxy.cut();
      await sender.ask(`send ${SPANS.away}`);
      await sender.ask('flush');
      await recorder.stop('SIGKILL');
      expect((await stepsIn(database))['succeeded'] ?? 0).toBeLessThan(SPANS.before + SPANS.away);
      await proxy.mend();
      await recorder.start();
      await sender.ask(`send ${SPANS.after}`);
      await sender.finish();
      await expectAllRecorded(database);
    });
  });
});

/** How long the database is away; the long form is two spans a second, as a validator has them. */
const OUTAGE_SECONDS = Number(process.env['BAROGRAPH_OUTAGE_SECONDS'] ?? 0);
const PACE_SECONDS = OUTAGE_SECONDS > 0 ? 0.5 : 0.05;
/** After a long outage the recorder tries the database every half a minute. */
const PATIENCE_MILLIS = OUTAGE_SECONDS > 0 ? 180_000 : 60_000;
const SPANS =
  OUTAGE_SECONDS > 0
    ? { before: 10, away: OUTAGE_SECONDS / PACE_SECONDS, after: 10 }
    : { before: 30, away: 30, after: 30 };

/** Each span that was made is one row, and the books prove it. */
async function expectAllRecorded(database: TestDatabase): Promise<void> {
  const made = SPANS.before + SPANS.away + SPANS.after;
  await eventually(
    async () => ((await stepsIn(database))['succeeded'] ?? 0) >= made,
    `${made} spans are recorded`,
    PATIENCE_MILLIS,
  );
  expect(await stepsIn(database)).toEqual({ succeeded: made });
  expect(await books(database)).toEqual({ ...COMPLETE, started: made, recorded: made });
}
