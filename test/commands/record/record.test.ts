import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { compressionAlgorithms, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordCommand } from '#commands/record/record';
import { runRecorder, type RecordingEndpoints } from '#commands/record/run-recorder';
import { readConfig } from '#src/config';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { call, retryInfoOf } from '#test/ingest/support/calling';
import { queryStep, sdkSpans } from '#test/ingest/support/sdk-spans';
import { JSON_TYPE, send } from '#test/ingest/support/serving';
import { testDataDirectory } from '#test/support/data-directory';
import { temporaryFolder } from '#test/support/temporary-folder';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { emptyTables } from '#test/support/tables';
import { captureOutput } from '../support/captured-output.ts';
import { invoke } from '../support/invoke.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => emptyTables(database.pool));
afterAll(() => database.drop());

const BODY = Buffer.from(
  ProtobufTraceSerializer.serializeRequest([
    ...sdkSpans([
      { attributes: queryStep() },
      { attributes: queryStep({ 'weather.step.status': 'finished' }) },
    ]),
  ]) ?? [],
);
const environment = () => ({
  DATABASE_URL: database.connectionString,
  BAROGRAPH_METRICS_PORT: '0',
  BAROGRAPH_DATA_DIR: testDataDirectory(),
  BAROGRAPH_INGEST_PORT: '0',
  BAROGRAPH_INGEST_GRPC_PORT: '0',
});
/** Waits until a table has so many rows; the test fails by its time-out when it never has. */
const committed = async (table: string, rows: number): Promise<void> => {
  while ((await count(table)) < rows) await new Promise(setImmediate);
};
const count = async (table: string): Promise<number> =>
  Number((await database.pool.query<{ n: string }>(`select count(*) as n from ${table}`)).rows[0]?.n);

/** Runs the service, does something with it, ends it. */
async function whileRecording<Result>(
  use: (places: RecordingEndpoints) => Promise<Result>,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly result: Result; readonly problems: readonly string[] }> {
  const controller = new AbortController();
  const output = captureOutput();
  let onMessage: (text: string) => void = () => undefined;
  const listening = new Promise<string>((resolve) => (onMessage = resolve));
  const ended = runRecorder({
    config: readConfig({ ...environment(), ...more }),
    isJson: true,
    output: { ...output, result: onMessage },
    signal: controller.signal,
  });
  try {
    const places = JSON.parse(await Promise.race([listening, ended.then(() => '{}')])) as RecordingEndpoints;
    return { result: await use(places), problems: output.problems };
  } finally {
    controller.abort();
    await ended;
  }
}
interface RunLine {
  readonly id: string;
  readonly status: string;
  readonly error_message: string | null;
  readonly completion_time: Date | null;
}
const runs = async (): Promise<readonly RunLine[]> =>
  (
    await database.pool.query<RunLine>(
      'select id::text, status, error_message, completion_time from weather_forecast_runs',
    )
  ).rows;
const portOf = (url: string | null): number => Number(new URL(url ?? '').port);

describe('barograph record', () => {
  it('a success response means that spans are on disk; rows and dead letters follow, and both are counted', async () => {
    const { result: metrics } = await whileRecording(async ({ traces, metrics }) => {
      const seen = await send({ port: portOf(traces) }, { body: BODY });
      expect(seen.status).toBe(200);
      expect(seen.body.toString()).toContain('"finished"');
      await committed('dead_letter_spans', 1);
      expect(await count('weather_forecast_steps')).toBe(1);
      return (await fetch(metrics ?? '')).text();
    });
    expect(metrics).toMatch(/barograph_recorder_batches_total\{result="written"\} 1/);
    expect(metrics).toMatch(
      /barograph_recorder_rejected_spans_total\{reason="invalid_attribute"\} 1|rejected.*invalid_attribute.* 1/,
    );
    const validators = await database.pool.query<{ hotkey: string }>('select hotkey from validators');
    expect(validators.rows, 'the recorder is no validator').toEqual([{ hotkey: '5Validator' }]);
    expect(await count('emitters')).toBe(1);
  });

  it('spans over gRPC are recorded like those over HTTP, and those that break the vocabulary are named', async () => {
    await whileRecording(async ({ traces, grpc }) => {
      const called = await call({ grpcUrl: grpc }, { body: BODY, compression: compressionAlgorithms.gzip });
      expect([called.code, called.body.toString()]).toEqual([
        status.OK,
        expect.stringContaining('"finished"'),
      ]);
      // The same spans: they are recorded once.
      expect((await send({ port: portOf(traces) }, { body: BODY })).status).toBe(200);
      await committed('dead_letter_spans', 1);
      expect(await count('weather_forecast_steps')).toBe(1);
    });
  });

  it.each([
    ['0', /^Spans {5}http:\/\/127\.0\.0\.1:\d+\/v1\/traces\ngRPC {6}http:\/\/127\.0\.0\.1:\d+\n/],
    ['off', /\ngRPC {6}none\n/],
  ])('the text of a recorder names its endpoint for gRPC, port %s', async (port, expected) => {
    const controller = new AbortController();
    let text = '';
    const result = (line: string): void => {
      text = line;
      controller.abort();
    };
    await runRecorder({
      config: readConfig({ ...environment(), BAROGRAPH_INGEST_GRPC_PORT: port }),
      isJson: false,
      output: { ...captureOutput(), result },
      signal: controller.signal,
    });
    expect(text).toMatch(expected);
  });

  it('the port of gRPC may be off, and is then named as none', async () => {
    await whileRecording(
      async ({ traces, grpc }) => {
        expect(grpc).toBeNull();
        expect((await send({ port: portOf(traces) }, { body: BODY })).status).toBe(200);
      },
      { BAROGRAPH_INGEST_GRPC_PORT: 'off' },
    );
  });

  it('no span is lost in an outage, nor when the recorder is killed between its answer and the commit', async () => {
    // Of its own: what its last recorder leaves would be recorded again by that of the next test.
    const data = { ...environment(), BAROGRAPH_DATA_DIR: await temporaryFolder() };
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'record', '--json'], {
      env: { PATH: process.env['PATH'] ?? '', ...data },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { traces } = JSON.parse(line.toString()) as RecordingEndpoints;
    const blocker = await database.pool.connect();
    try {
      await blocker.query('begin; lock table validators in access exclusive mode');
      for (const at of [0, 10, 20, 30]) {
        const spans = [...sdkSpans([{ attributes: queryStep(), at }])];
        const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []);
        expect((await send({ port: portOf(traces) }, { body })).status).toBe(200);
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    await whileRecording(() => committed('weather_forecast_steps', 4), data);
    expect(await count('weather_forecast_steps')).toBe(4);
  });

  it('a span without an end is a running step, and ends when its end is sent', async () => {
    const statuses = async (): Promise<readonly string[]> =>
      (await database.pool.query<{ status: string }>('select status from weather_forecast_steps')).rows.map(
        ({ status }) => status,
      );
    const [step] = sdkSpans([{ attributes: queryStep() }]);
    const ended = JSON.parse(
      Buffer.from(JsonTraceSerializer.serializeRequest(step === undefined ? [] : [step]) ?? []).toString(),
    ) as { resourceSpans: { scopeSpans: { spans: object[] }[] }[] };
    const running = structuredClone(ended);
    for (const { scopeSpans } of running.resourceSpans)
      for (const scope of scopeSpans)
        scope.spans = scope.spans.map((span) => ({ ...span, endTimeUnixNano: '0' }));
    await whileRecording(async ({ traces }) => {
      for (const [body, status] of [
        [running, 'in_progress'],
        [ended, 'succeeded'],
        [running, 'succeeded'],
      ] as const) {
        const seen = await send({ port: portOf(traces) }, { body: JSON.stringify(body), headers: JSON_TYPE });
        expect([seen.status, seen.body.toString()]).toEqual([200, '{}']);
        while ((await statuses())[0] !== status) await new Promise(setImmediate);
      }
    });
  });

  it("spans are received although the recorder's own steps are not recorded", async () => {
    await whileRecording(
      async ({ traces }) => {
        expect((await send({ port: portOf(traces) }, { body: BODY })).status).toBe(200);
        await committed('weather_forecast_steps', 1);
      },
      { OTEL_SDK_DISABLED: 'true' },
    );
  });

  it('senders must send the token where one is set', async () => {
    await whileRecording(
      async ({ traces, needs_token }) => {
        expect(needs_token).toBe(true);
        const port = portOf(traces);
        expect((await send({ port }, { body: BODY })).status).toBe(401);
        const headers = { authorization: 'Bearer t0ken' };
        expect((await send({ port }, { body: BODY, headers })).status).toBe(200);
      },
      { BAROGRAPH_INGEST_TOKEN: 't0ken' },
    );
  });

  it('senders hear of success while the tables cannot be written, and their spans are recorded afterwards', async () => {
    await whileRecording(async ({ traces }) => {
      // As a disk that is full would: an error of the server that trying again may heal.
      await database.pool.query(
        `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no space' using errcode = '53100'; end $$;
         create trigger refuse before insert on weather_forecast_runs execute function refuse()`,
      );
      try {
        for (let time = 0; time < 2; time += 1)
          expect((await send({ port: portOf(traces) }, { body: BODY })).status).toBe(200);
        expect(await count('weather_forecast_steps')).toBe(0);
      } finally {
        await database.pool.query('drop function refuse cascade');
      }
      await committed('weather_forecast_steps', 1);
    });
    expect(await count('weather_forecast_steps')).toBe(1);
  });

  it('senders are asked to retry when the spool is full, one warning is printed, and each refused span is counted', async () => {
    const { result: metrics, problems } = await whileRecording(
      async ({ traces, grpc, metrics }) => {
        const text = 'x'.repeat(600_000);
        const large = [
          ...sdkSpans([{ attributes: queryStep({ text }) }, { attributes: queryStep({ text }) }]),
        ];
        const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(large) ?? []);
        for (let time = 0; time < 2; time += 1) {
          const seen = await send({ port: portOf(traces) }, { body });
          expect([seen.status, seen.headers['retry-after']]).toEqual([503, '5']);
        }
        const called = await call({ grpcUrl: grpc }, { body });
        expect([called.code, called.retryInfo]).toEqual([status.UNAVAILABLE, retryInfoOf(called, 5)]);
        return (await fetch(metrics ?? '')).text();
      },
      { BAROGRAPH_SPOOL_LIMIT_MIB: '1' },
    );
    expect(problems).toEqual([
      'Spans of other programs were not kept: the spool is full: raise BAROGRAPH_SPOOL_LIMIT_MIB, or make the database answer.',
    ]);
    expect(metrics).toMatch(/barograph_recorder_rejected_total\{reason="not_kept"\} 6/);
  });

  it('docs/examples/end-run.mjs ends a run that nothing works on, so that retention can drop it', async () => {
    await whileRecording(async ({ traces }) => {
      const attributes = queryStep({ 'weather.run.status': 'awaiting_results' });
      const body = ProtobufTraceSerializer.serializeRequest([...sdkSpans([{ attributes }])]) ?? [];
      await send({ port: portOf(traces) }, { body: Buffer.from(body) });
      await committed('weather_forecast_runs', 1);
      const [open] = await runs();
      expect(open).toMatchObject({ status: 'awaiting_results', completion_time: null });
      const validator = (await database.pool.query<{ hotkey: string }>('select hotkey from validators'))
        .rows[0];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['docs/examples/end-run.mjs', validator?.hotkey ?? '', open?.id ?? '', 'nothing works on it'],
        { env: { OTEL_EXPORTER_OTLP_ENDPOINT: new URL(traces).origin } },
      );
      expect(stdout).toBe('200 {}\n');
      while ((await runs())[0]?.status !== 'stale_abandoned') await new Promise(setImmediate);
      expect(await runs()).toEqual([
        {
          id: open?.id,
          status: 'stale_abandoned',
          error_message: 'nothing works on it',
          completion_time: expect.any(Date) as Date,
        },
      ]);
    });
  });

  it.each([
    [['--port', '70000'], /Allowed: a whole number from 0 to 65535/],
    [['--grpc-port', 'none'], /Allowed: a whole number from 0 to 65535, or off/],
    [['--host', '0.0.0.0'], /BAROGRAPH_INGEST_TOKEN/],
  ])(
    'the arguments %j are refused on standard error, with nothing on standard output',
    async (args, message) => {
      const { exitCode, stdout, stderr } = await invoke(recordCommand(), [...args, '--json'], environment());
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(message);
    },
  );

  it('SIGTERM ends the recorder with exit code 0, as a service manager expects, also one without gRPC', async () => {
    const args = ['--import', 'tsx', 'src/cli.ts', 'record', '--json', '--grpc-port', 'off'];
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'] ?? '', ...environment() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { traces, grpc } = JSON.parse(line.toString()) as RecordingEndpoints;
    expect(grpc).toBeNull();
    expect((await send({ port: portOf(traces) }, { body: BODY })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await count('weather_forecast_steps')).toBe(1);
  });
});
