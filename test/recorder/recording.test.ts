import { readdir } from 'node:fs/promises';
import { Server } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { readConfig } from '#src/config';
import { startRecording, type RecordingOptions, type RetentionRound } from '#recorder/recording';
import { SpoolBench, spanOf } from '../exporters/spool/support/spool-bench.ts';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { query } from '../support/query-step.ts';
import { endedSpan, startOfSpan } from '../support/spans.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const configOf = (environment: Readonly<Record<string, string>>) =>
  readConfig({
    DATABASE_URL: database.connectionString,
    BAROGRAPH_DATA_DIR: testDataDirectory(),
    BAROGRAPH_METRICS_PORT: '0',
    ...environment,
  });
const record = (
  environment: Readonly<Record<string, string>> = {},
  problems: string[] = [],
  onAdopted?: RecordingOptions['onAdopted'],
) =>
  startRecording({
    metricsServer: true,
    config: configOf(environment),
    validatorHotkey: '5Validator',
    onProblem: (message) => problems.push(message),
    onAdopted,
  });

async function countConnections(): Promise<number> {
  const { rows } = await database.pool.query(
    `select from pg_stat_activity where datname = current_database() and application_name = 'barograph-recorder'`,
  );
  return rows.length;
}

describe('startRecording', () => {
  it('a flush brings every step into the tables and the metrics', async () => {
    const recording = await record();
    query(1);
    await recording.flush();
    const { rows } = await recording.pool.query<{ run_id: string }>(
      'select run_id::text from weather_forecast_steps',
    );
    expect(rows).toEqual([{ run_id: '1' }]);
    const scraped = await (await fetch(recording.metricsUrl ?? '')).text();
    expect(scraped).toMatch(/barograph_miner_\w+\{[^}]*miner_hotkey="5Seven"/);
    await recording.close();
  });

  it('each scrape shows the state of the pipeline', async () => {
    const recording = await record();
    const scrape = async () => (await fetch(recording.metricsUrl ?? '')).text();
    await expect.poll(scrape).toMatch(/^barograph_state_read_timestamp_seconds \d/m);
    expect(await scrape()).toMatch(/^barograph_validators\{.*validator_hotkey="5Validator"\} 1$/m);
    await recording.close();
  });

  it('/readyz is ready while the database responds, and closed with the recording', async () => {
    const recording = await record();
    const readyUrl = recording.metricsUrl?.replace('/metrics', '/readyz') ?? '';
    expect((await fetch(readyUrl)).status).toBe(200);
    await recording.close();
    await expect(fetch(readyUrl)).rejects.toThrow();
  });

  it('closing flushes, returns all connections and is idempotent', async () => {
    const recording = await record();
    query(2);
    await Promise.all([recording.close(), recording.close()]);
    const { rows } = await database.pool.query('select from weather_forecast_steps where run_id = 2');
    expect(rows).toHaveLength(1);
    await expect.poll(countConnections).toBe(0);
  });

  it('the metrics start from the rows that are recorded already', async () => {
    const recording = await record();
    const scraped = await (await fetch(recording.metricsUrl ?? '')).text();
    expect(scraped).toContain('miner_hotkey="5Seven"');
    await recording.close();
  });

  it('current and following partitions exist before the first step', async () => {
    const fresh = await createTestDatabase();
    const recording = await record({ DATABASE_URL: fresh.connectionString });
    const { rows } = await fresh.pool.query(
      `select from pg_class where relname ~ '_(finished|scores)_\\d{8}$'`,
    );
    expect(rows).toHaveLength(4);
    await recording.close();
    await fresh.drop();
  });

  it('rows older than BAROGRAPH_RETENTION_DAYS are dropped, except those of open runs, which are named', async () => {
    const fresh = await createTestDatabase();
    const daysAgo = (days: number) => BigInt(Date.now() - days * 86_400_000) * 1_000_000n;
    const stepOf = (run: number, days: number, status: string) => ({
      ...endedSpan({ step: 'query', run, attributes: { 'weather.run.status': status } }),
      startTimeUnixNano: daysAgo(days),
    });
    const exporter = createPostgresExporter({ pool: fresh.pool });
    await exporter.exportObserved([stepOf(1, 60, 'completed'), stepOf(2, 40, 'awaiting_results')]);
    const problems: string[] = [];
    const rounds: RetentionRound[] = [];
    const recording = await startRecording({
      metricsServer: true,
      config: configOf({ DATABASE_URL: fresh.connectionString, BAROGRAPH_RETENTION_DAYS: '30' }),
      validatorHotkey: '5Validator',
      onProblem: (message) => problems.push(message),
      onRetention: (round) => rounds.push(round),
    });
    await expect.poll(() => rounds).toHaveLength(1);
    const scraped = await (await fetch(recording.metricsUrl ?? '')).text();
    await recording.close();
    expect(problems).toEqual([]);
    expect(rounds).toMatchObject([
      { dropped: [expect.stringMatching(/finished_\d{8}$/)], held: [{ runs: [{ runId: 2 }] }] },
    ]);
    expect((await fresh.pool.query('select run_id from weather_forecast_steps')).rows).toHaveLength(1);
    expect(scraped).toContain('barograph_partitions_held_by_open_run{validator_id="1",run_id="2"} 1');
    await fresh.drop();
  });

  it('the spool of a dead process is adopted and reported', async () => {
    const BAROGRAPH_DATA_DIR = await temporaryFolder();
    const first = await record({ BAROGRAPH_DATA_DIR });
    const [target = ''] = await readdir(join(BAROGRAPH_DATA_DIR, 'spool'));
    await first.close();
    const bench = new SpoolBench(join(BAROGRAPH_DATA_DIR, 'spool', target));
    const left = bench.open();
    left.push(startOfSpan(spanOf(1, { run: 77 })), 0);
    left.close();
    const adopted: unknown[] = [];
    const second = await record({ BAROGRAPH_DATA_DIR }, [], (outcome) => adopted.push(outcome));
    await second.adopted;
    await second.close();
    expect(adopted).toEqual([{ spools: 1, records: 2, closedSteps: 1 }]);
  });

  it('nothing stays open after a failed start: a wrong sampler, or a database of a newer version', async () => {
    await expect(record({ OTEL_TRACES_SAMPLER: 'some' })).rejects.toThrow('OTEL_TRACES_SAMPLER is "some"');
    await database.pool.query(`insert into barograph_migrations (version, name) values (99, 'later')`);
    await expect(record()).rejects.toThrow('schema version 99');
    await database.pool.query('delete from barograph_migrations where version = 99');
    await expect.poll(countConnections).toBe(0);
  });
});

describe('startRecording in a program of others', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('a hotkey is enough: DATABASE_URL is recorded into, and no port is opened', async () => {
    vi.stubEnv('DATABASE_URL', database.connectionString);
    vi.stubEnv('BAROGRAPH_DATA_DIR', testDataDirectory());
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:9');
    const listen = vi.spyOn(Server.prototype, 'listen');
    const recording = await startRecording({ validatorHotkey: '5Alone' });
    query(31);
    await recording.flush();
    const { rows } = await database.pool.query('select from weather_forecast_steps where run_id = 31');
    expect(rows).toHaveLength(1);
    const { metricsUrl, databaseKind, spoolDirectory } = recording;
    expect({ metricsUrl, databaseKind }).toEqual({ metricsUrl: null, databaseKind: 'given' });
    expect(database.connectionString).toContain(recording.database);
    expect(await readdir(spoolDirectory)).not.toEqual([]);
    await recording.close();
    expect(listen).not.toHaveBeenCalled();
    listen.mockRestore();
  });

  it('the database of a given pool is recorded into, with its password, and the pool stays open', async () => {
    const { hostname: host, port, username: user, password, pathname } = new URL(database.connectionString);
    const settings = { host, port: Number(port), user, password: decodeURIComponent(password) };
    const pools = [
      new pg.Pool({ connectionString: database.connectionString }),
      new pg.Pool({ ...settings, database: pathname.slice(1), options: '-c TimeZone=Asia/Tokyo' }),
    ];
    for (const [index, pool] of pools.entries()) {
      const recording = await startRecording({
        validatorHotkey: '5Pool',
        config: configOf({ DATABASE_URL: '' }),
        pool,
      });
      query(32 + index);
      await recording.close();
      const { rows } = await pool.query('select from weather_forecast_steps where run_id = $1', [32 + index]);
      expect(rows).toHaveLength(1);
      expect(recording.database).toBe(`${host}:${port}${pathname}`);
      await pool.end();
    }
  });

  it('an embedded database is started where none is named, and a warning of the process says where', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const config = readConfig({ BAROGRAPH_DATA_DIR: await temporaryFolder() });
    const recording = await startRecording({ validatorHotkey: '5Embedded', config });
    await recording.close();
    expect(recording.databaseKind).toBe('embedded');
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('DATABASE_URL is not set'), 'BarographWarning'],
    ]);
    warned.mockRestore();
  });

  it('an empty hotkey is refused before anything is opened', async () => {
    await expect(startRecording({ validatorHotkey: '' })).rejects.toThrow('validatorHotkey is ""');
  });
});
