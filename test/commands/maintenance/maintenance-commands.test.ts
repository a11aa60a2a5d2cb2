import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { rebuildCommand } from '#commands/maintenance/rebuild';
import { reconcileCommand } from '#commands/maintenance/reconcile';
import { seriesLines } from '#commands/maintenance/format-reconcile';
import { sweepCommand } from '#commands/maintenance/sweep';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';
import { invoke } from '../support/invoke.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptyTables(database.pool);
  const report = await createPostgresExporter({ pool: database.pool }).exportObserved([
    ...RECORDED_RUNS,
    startOfSpan(endedSpan({ step: 'query', run: 9, instance: 'instance-9' })),
  ]);
  expect(report).toEqual({ kind: 'written' });
});

const environment = () => ({ DATABASE_URL: database.connectionString });
const rebuild = (...args: readonly string[]) => invoke(rebuildCommand(), args, environment());
const reconcile = (...args: readonly string[]) => invoke(reconcileCommand(), args, environment());
const sweep = (...args: readonly string[]) => invoke(sweepCommand(), args, environment());
const damage = () =>
  database.pool.query(
    `update weather_forecast_stats set era5_combined_score = 9 where era5_combined_score is not null`,
  );

describe('barograph rebuild', () => {
  it('a rebuild repairs the tables and prints the rows of each, and the rows of the log', async () => {
    const before = await dumpTables(database.pool);
    await damage();
    const { exitCode, stdout } = await rebuild();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^weather_forecast_runs: 5 rows\n(.+ rows\n)+Rebuilt from \d+ rows of the log in [\d.]+ s\.\n$/,
    );
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('--json prints the outcome of a rebuild as one document', async () => {
    const { stdout } = await rebuild('--run', '1', '--validator', '5Validator', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      log_rows: expect.any(Number) as number,
      rows: { weather_forecast_runs: 1 },
    });
  });

  it('a rebuild of a run that is not in the log is refused with the runs that are', async () => {
    const { exitCode, stdout, stderr } = await rebuild('--run', '77');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(
      'The log has nothing of run 77. The newest that are: 5Validator run 9, 5Validator run 4',
    );
  });

  it('the help of rebuild states that readers see the old rows and writers wait', () => {
    let help = '';
    rebuildCommand()
      .configureOutput({ writeOut: (text) => (help += text) })
      .outputHelp();
    expect(help).toContain('Readers see the old rows until it commits. Writers\nof the validators wait');
  });
});

describe('barograph reconcile', () => {
  it('tables that match the log end with exit code 0', async () => {
    const { exitCode, stdout, stderr } = await reconcile();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(
      /^The tables match the log\. Rows compared:\n {2}weather_forecast_runs: 5\n( {2}.+: \d+\n)+$/,
    );
  });

  it('a difference ends with exit code 1 and is printed with table, key, column and both values', async () => {
    await damage();
    const words = await reconcile();
    expect(words.exitCode).toBe(1);
    expect(words.stdout).toMatch(/^\d+ values differ from the log:\n/);
    expect(words.stdout).toMatch(
      /^weather_forecast_stats, validator_id 1, run_id 1, miner_hotkey 5Good: era5_combined_score: 9 in the tables, 0\.\d+ from the log$/m,
    );
    const { exitCode, stdout } = await reconcile('--json');
    expect(exitCode).toBe(1);
    const document = JSON.parse(stdout) as {
      folds: { difference_count: number; differences: readonly unknown[] };
    };
    expect(document).toMatchObject({ metrics: null });
    expect(document.folds.differences).toHaveLength(document.folds.difference_count);
    expect(document.folds.differences[0]).toMatchObject({ table: 'weather_forecast_stats', in_tables: '9' });
  });

  it('the text lists the first twenty differences and the number of the rest', async () => {
    await database.pool.query(
      `update weather_miner_responses set retry_count = 9, job_id = 'x', status = 'x'`,
    );
    const { stdout } = await reconcile();
    const lines = stdout.trimEnd().split('\n');
    const [count = ''] = lines;
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe(`… and ${Number.parseInt(count, 10) - 20} more`);
  });

  it('missing metrics at the configured address are a warning only', async () => {
    const { exitCode, stderr } = await invoke(reconcileCommand(), [], {
      ...environment(),
      BAROGRAPH_METRICS_PORT: '1',
    });
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      'No server responds at http://127.0.0.1:1/metrics. The metrics were not compared; --metrics names another URL.\n',
    );
  });

  it('the lines about metrics say when the process does not name its database', () => {
    const compared = {
      url: 'http://127.0.0.1:9464/metrics',
      namesDatabase: false,
      miners: 5,
      differences: [],
    };
    const doubt =
      'The process at http://127.0.0.1:9464/metrics does not say which database it shows, as earlier versions do not: it may be another.';
    const match = 'The metrics at http://127.0.0.1:9464/metrics match miner_stats (5 miners).';
    expect(seriesLines(compared)).toEqual([match, doubt]);
    expect(seriesLines({ ...compared, namesDatabase: true })).toEqual([match]);
    const differences = [{ series: 'x', served: '1', wanted: null }];
    expect(seriesLines({ ...compared, differences })[0]).toBe(doubt);
  });

  it('missing metrics at the --metrics address, or an invalid address, are an error', async () => {
    const missing = await reconcile('--metrics', 'http://127.0.0.1:1');
    expect(missing).toMatchObject({
      exitCode: 1,
      stderr: 'No server responds at http://127.0.0.1:1/metrics.\n',
    });
    expect((await reconcile('--metrics', 'localhost:9464')).stderr).toContain(
      'Allowed: an http or https URL',
    );
  });
});

const NOBODY_YET =
  /^No silent process has left a step running\.\nThe database has been up for only \d+ s; no process counts as silent for longer\.\n$/;
const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string;

describe('barograph sweep', () => {
  const silence = () =>
    database.pool.query(`update emitters set last_seen = '2026-01-01' where instance_id = 'instance-9'`);
  const named = ['--older-than', '1m', '--instance', 'instance-9'] as const;
  /** The test server may be up for less than a minute; silence before its start does not count. */
  const isUp = async () => {
    const { rows } = await database.pool.query<{ up: boolean }>(
      `select pg_postmaster_start_time() < now() - interval '1 minute' as up`,
    );
    return rows[0]?.up === true;
  };

  it('the steps of the named process are closed and reported; a dry run only reports them', async () => {
    await silence();
    const up = await isUp();
    const dry = await sweep(...named, '--dry-run');
    expect(dry.stdout).toMatch(
      up
        ? /^instance-9 of 5Validator, last seen at 2026-01-01T00:00:00\.000Z: 1 running step would be closed\n$/
        : NOBODY_YET,
    );
    const { stdout } = await sweep(...named, '--json');
    const emitter = { instance_id: 'instance-9', validator_hotkey: '5Validator', running: 1, closed: 1 };
    expect(JSON.parse(stdout)).toMatchObject({ is_dry_run: false, emitters: up ? [emitter] : [] });
  });

  it('nothing is closed where no process is silent', async () => {
    await database.pool.query('delete from weather_forecast_steps_running');
    expect(await sweep('--older-than', '1m')).toMatchObject({
      exitCode: 0,
      stdout: (await isUp()) ? 'No silent process has left a step running.\n' : matching(NOBODY_YET),
      stderr: '',
    });
  });

  it('a database that is up for too short a time is reported with its uptime', async () => {
    const { stdout } = await sweep('--older-than', '999999d', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      emitters: [],
      database_up_seconds: expect.any(Number) as number,
    });
    expect((await sweep('--older-than', '999999d')).stdout).toMatch(NOBODY_YET);
  });

  it.each(['59s', '15', 'soon', '0m', '-5m'])('the age %s is refused as a limit of silence', async (text) => {
    const { exitCode, stderr } = await sweep(`--older-than=${text}`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('for example 15m; at least 1m');
  });

  it('the limit of silence is a required option', async () => {
    expect((await sweep()).stderr).toContain(`required option '--older-than <duration>' not specified`);
  });
});
