import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { reconcileMetrics, sweep } from '#maintenance/maintenance';
import { readConfig } from '#src/config';
import { startRecording, type Recording } from '#recorder/recording';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { endedSpan, startOfSpan } from '../support/spans.ts';
import { RECORDED_RUNS } from '../support/recorded-runs.ts';
import { dumpTables, emptyTables } from '../support/tables.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptyTables(database.pool);
});

describe('reconcileMetrics', () => {
  let recording: Recording;
  let server: Server | undefined;
  beforeEach(async () => {
    recording = await startRecording({
      metricsServer: true,
      config: readConfig({
        DATABASE_URL: database.connectionString,
        BAROGRAPH_DATA_DIR: testDataDirectory(),
        BAROGRAPH_METRICS_PORT: '0',
      }),
      validatorHotkey: '5Validator',
      refreshMillis: 100,
      onProblem: () => undefined,
    });
    expect(await recording.write(RECORDED_RUNS)).toEqual({ kind: 'written' });
  });
  afterEach(async () => {
    await recording.close();
    server?.close();
    server = undefined;
  });
  const compare = (url = recording.metricsUrl ?? '', graceMillis?: number) =>
    reconcileMetrics(database.pool, url, graceMillis === undefined ? {} : { graceMillis });

  /** Serves what `respond` gives for each look. */
  async function serve(respond: () => Promise<string> | string, status = 200): Promise<string> {
    const opened = createServer((_request, response) => {
      void Promise.resolve(respond()).then((body) => response.writeHead(status).end(body));
    });
    await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
    server = opened;
    return `http://127.0.0.1:${(opened.address() as AddressInfo).port}/metrics`;
  }
  const scraped = async () => (await fetch(recording.metricsUrl ?? '')).text();

  it('the metrics of a process that shows what was committed match miner_stats', async () => {
    expect(await compare()).toMatchObject({ miners: 5, differences: [] });
  });

  it('series with wrong values are reported as differences', async () => {
    const wrong = (await scraped()).replace(
      /^(barograph_miner_failed_forecasts_total\{.*"5Good".*) 0$/m,
      '$1 9',
    );
    const { differences } = await compare(await serve(() => wrong), 500);
    expect(differences).toMatchObject([{ served: '9', wanted: '0' }]);
    expect(differences[0]?.series).toMatch(/^barograph_miner_failed_forecasts_total\{.*"5Good"/);
  });

  it('a difference is checked again, since a process shows foreign commits after its next refresh', async () => {
    const stale = (await scraped()).replace(/^(barograph_miner_hosting_successes_total\{.*) \d+$/m, '$1 77');
    let looks = 0;
    const url = await serve(() => (++looks === 1 ? stale : scraped()));
    expect((await compare(url)).differences).toEqual([]);
    expect(looks).toBe(2);
  });

  it('the metrics match again once the process has read a changed table', async () => {
    await database.pool.query(`update miner_stats set failed_forecasts = 9 where miner_hotkey = '5Good'`);
    expect(await compare()).toMatchObject({ miners: 5, differences: [] });
    expect(await scraped()).toMatch(/^barograph_miner_failed_forecasts_total\{.*"5Good".*\} 9$/m);
    expect(await scraped()).toContain('\nbarograph_miner_stats_drift_rows 0\n');
  });

  const idOf = async ({ pool }: Pick<TestDatabase, 'pool'>): Promise<string> => {
    const { rows } = await pool.query<{ id: string }>('select database_id as id from database_identity');
    return rows[0]?.id ?? '';
  };

  it('a process of another database is refused with both identities, and no difference is named', async () => {
    const other = await createTestDatabase();
    // The databases of the tests are copies of one, and a copy keeps its identity.
    await other.pool.query('update database_identity set database_id = gen_random_uuid()');
    const url = recording.metricsUrl ?? '';
    const rejection = await reconcileMetrics(other.pool, url).catch((error: unknown) => error);
    const [served, compared] = [await idOf(database), await idOf(other)];
    await other.drop();
    expect(rejection).toMatchObject({
      category: 'invalid_response',
      message:
        `${url} serves the metrics of the database ${served}; compared is the database ${compared}. ` +
        'Name a process that records into that one alone, or set DATABASE_URL to the database of this process.',
    });
  });

  it('an address that merges the metrics of two databases is refused', async () => {
    const id = await idOf(database);
    const merged = (await scraped()).replace(
      /^barograph_database_info\{database_id=".*"\} 1$/m,
      '$&\nbarograph_database_info{instance="b",database_id="another"} 1',
    );
    await expect(compare(await serve(() => merged))).rejects.toThrow(
      `serves the metrics of the database ${id} and of another; compared is`,
    );
  });

  it('an address at which processes of two databases take turns is refused at the second look', async () => {
    const id = await idOf(database);
    const stale = (await scraped()).replace(/^(barograph_miner_hosting_successes_total\{.*) \d+$/m, '$1 77');
    let looks = 0;
    const url = await serve(() => (++looks === 1 ? stale : stale.replaceAll(id, 'another')));
    await expect(compare(url)).rejects.toThrow(`serves the metrics of the database another; compared is`);
  });

  it('a process of an earlier version, which names no database, is compared and reported as such', async () => {
    const earlier = (await scraped()).replace(/^.*barograph_database_info.*\n/gm, '');
    expect(await compare(await serve(() => earlier))).toMatchObject({
      namesDatabase: false,
      differences: [],
    });
    expect(await compare()).toMatchObject({ namesDatabase: true });
  });

  it('a comparison fails where no server, or another server, responds', async () => {
    const url = await serve(() => 'go_goroutines 7\n');
    await expect(compare(url)).rejects.toMatchObject({
      category: 'invalid_response',
      message: `${url} responds with status 200, but without Barograph's metrics of miners.`,
    });
    await expect(compare('http://127.0.0.1:1/metrics')).rejects.toMatchObject({
      category: 'connection',
      message: 'No server responds at http://127.0.0.1:1/metrics.',
    });
  });

  it('writers are not blocked after a comparison', async () => {
    await compare();
    expect(await recording.write([endedSpan({ step: 'query', run: 9 })])).toEqual({ kind: 'written' });
  });
});

describe('sweep', () => {
  const request = { olderThanMillis: 1, instanceId: null, validatorHotkey: null };
  const instances = ['instance-1', 'instance-2'];
  beforeEach(async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    await exporter.exportObserved(
      instances.map((instance) => startOfSpan(endedSpan({ step: 'query', instance }))),
    );
    await database.pool.query(`update emitters set heartbeat_at = now() - interval '1 hour'`);
  });

  it('a sweep reports for each process how many steps it closed', async () => {
    const swept = await sweep(database.pool, request, { isDryRun: false });
    expect(swept.map(({ instanceId, running, closed }) => [instanceId, running, closed])).toEqual([
      ['instance-1', 1, 1],
      ['instance-2', 1, 1],
    ]);
    expect(await sweep(database.pool, request, { isDryRun: false })).toEqual([]);
  });

  it('a dry run changes nothing and reports what it would close', async () => {
    const before = await dumpTables(database.pool);
    const swept = await sweep(database.pool, request, { isDryRun: true });
    expect(swept.map(({ instanceId, running, closed }) => [instanceId, running, closed])).toEqual([
      ['instance-1', 1, 0],
      ['instance-2', 1, 0],
    ]);
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('a sweep of an unknown process is an error', async () => {
    const named = { ...request, instanceId: 'nobody' };
    await expect(sweep(database.pool, named, { isDryRun: true })).rejects.toThrow('No process nobody');
  });
});
