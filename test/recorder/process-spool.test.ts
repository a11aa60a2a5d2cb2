import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readSegment } from '#spool/format/frame';
import { listSegments } from '#spool/segments/segment-files';
import { toSpan } from '#spool/format/spool-record';
import { readConfig } from '#src/config';
import { startRecording, type Recording } from '#recorder/recording';
import { currentTraceparent, step } from '#steps';
import { openBreakableProxy } from '../end-to-end/support/breakable-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { endlessQuery, query } from '../support/query-step.ts';
import { emptyTables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Soon enough for a test that waits for it to pass in vain. */
const FLUSH_TIMEOUT_MILLIS = 150;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

const record = (databaseUrl: string, dataDirectory: string, problems: string[] = []): Promise<Recording> =>
  startRecording({
    metricsServer: true,
    config: readConfig({
      DATABASE_URL: databaseUrl,
      BAROGRAPH_DATA_DIR: dataDirectory,
      BAROGRAPH_METRICS_PORT: '0',
    }),
    validatorHotkey: '5Validator',
    flushTimeoutMillis: FLUSH_TIMEOUT_MILLIS,
    onProblem: (message) => problems.push(message),
  });

/** A step of a run, and whether its span was recorded. */
const observedQuery = step(
  {
    name: 'query',
    substep: 'initiate_fetch',
    identity: (run: number) => ({
      runId: run,
      initTime: new Date('2026-11-23T00:00:00Z'),
      minerUid: 7,
      minerHotkey: '5Seven',
    }),
  },
  (run: number): boolean => run > 0 && currentTraceparent() !== undefined,
);

/** The folders of all spools below a data directory. */
function spoolsIn(dataDirectory: string): readonly string[] {
  const root = join(dataDirectory, 'spool');
  return readdirSync(root).flatMap((target) =>
    readdirSync(join(root, target)).map((name) => join(root, target, name)),
  );
}

async function rows(sql: string, { pool } = database): Promise<readonly Record<string, unknown>[]> {
  return (await pool.query<Record<string, unknown>>(sql)).rows;
}
const steps = () => rows('select run_id::int, status from weather_forecast_steps order by run_id');

describe('a process that ends while the database is away', () => {
  it('the next process delivers the records left in the spool and closes the steps that were running', async () => {
    const [folder, proxy] = [await temporaryFolder(), await openBreakableProxy(database.connectionString)];
    const first = await record(proxy.url, folder);
    query(1);
    await expect.poll(steps).toHaveLength(1);
    await proxy.cut();
    query(2);
    void endlessQuery(3);
    await first.close();
    const [directory] = spoolsIn(folder);
    expect(first.remainder()).toEqual({ directory, records: 2, openSteps: 1 });
    expect(await steps()).toEqual([{ run_id: 1, status: 'succeeded' }]);

    await proxy.mend();
    const second = await record(proxy.url, folder);
    expect(await second.adopted).toEqual({ spools: 1, records: 3, closedSteps: 1 });
    expect(await steps()).toEqual([
      { run_id: 1, status: 'succeeded' },
      { run_id: 2, status: 'succeeded' },
      { run_id: 3, status: 'abandoned' },
    ]);
    await second.close();
    expect(second.remainder()).toMatchObject({ records: 0, openSteps: 0 });
    expect(spoolsIn(folder)).toEqual([]);
    expect(await rows('select from run_completeness where unaccounted <> 0')).toEqual([]);
    expect(
      await rows(
        'select from emitter_books where closed_at is null or not isempty(missing) or conflict is not null',
      ),
    ).toEqual([]);
    await proxy.cut();
  });

  it('a step that ends while its process closes is recorded by the next process', async () => {
    const [folder, proxy] = [await temporaryFolder(), await openBreakableProxy(database.connectionString)];
    const first = await record(proxy.url, folder);
    await proxy.cut();
    query(1);
    const closing = { isOver: false, acknowledged: 0 };
    const closed = first.close().finally(() => {
      closing.isOver = true;
    });
    while (!closing.isOver) {
      closing.acknowledged += observedQuery(2) ? 1 : 0;
      await nextTurn();
    }
    await closed;
    expect(first.counters().dropped.after_shutdown).toBe(0);

    await proxy.mend();
    const second = await record(proxy.url, folder);
    await second.adopted;
    expect(
      await rows('select run_id::int, count(*)::int from weather_forecast_steps group by 1 order by 1'),
    ).toEqual([
      { run_id: 1, count: 1 },
      { run_id: 2, count: closing.acknowledged },
    ]);
    await second.close();
    await proxy.cut();
  });

  it('records are never delivered to a database other than the one they were written for', async () => {
    const other = await createTestDatabase();
    const [folder, proxy] = [await temporaryFolder(), await openBreakableProxy(database.connectionString)];
    const first = await record(proxy.url, folder);
    await proxy.cut();
    query(1);
    await first.close();

    const stranger = await record(other.connectionString, folder);
    expect(await stranger.adopted).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    await stranger.close();
    expect(await rows('select from weather_forecast_steps', other)).toEqual([]);
    expect(await rows('select last_sequence::int from emitters', other)).toEqual([{ last_sequence: 0 }]);
    expect(spoolsIn(folder)).toEqual([first.remainder()?.directory]);

    await proxy.mend();
    const successor = await record(proxy.url, folder);
    expect(await successor.adopted).toMatchObject({ spools: 1, records: 1 });
    expect(await steps()).toEqual([{ run_id: 1, status: 'succeeded' }]);
    await successor.close();
    await proxy.cut();
    await other.drop();
  });
});

describe('a process that ends while the database is silent', () => {
  it('closing takes little longer than the flush timeout, and the next process delivers what was left', async () => {
    const [folder, proxy] = [await temporaryFolder(), await openBreakableProxy(database.connectionString)];
    const problems: string[] = [];
    const first = await record(proxy.url, folder, problems);
    query(1);
    await expect.poll(steps).toHaveLength(1);
    proxy.freeze();
    query(2);
    void first.pool.query('select').catch(() => undefined);
    const begun = performance.now();
    await first.close();
    expect(performance.now() - begun).toBeLessThan(FLUSH_TIMEOUT_MILLIS + 2000);
    expect(first.remainder()).toMatchObject({ records: 1, openSteps: 0 });
    expect(problems).toEqual([]);

    proxy.thaw();
    const second = await record(proxy.url, folder);
    expect(await second.adopted).toMatchObject({ spools: 1, records: 1 });
    expect(await steps()).toEqual([
      { run_id: 1, status: 'succeeded' },
      { run_id: 2, status: 'succeeded' },
    ]);
    await second.close();
    await proxy.cut();
  });

  it('the recorder waits for an answer for longer than the server may take for a statement', async () => {
    const recording = await record(database.connectionString, await temporaryFolder());
    const limits = `select current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as silence`;
    expect((await recording.pool.query(limits)).rows).toEqual([{ statement: '1min', silence: '65s' }]);
    await recording.close();
  });
});

describe('a process that ends abruptly', () => {
  const end = (folder: string, how: string): Promise<{ readonly code: unknown; readonly stderr: string }> =>
    new Promise((resolve) => {
      const program = join(import.meta.dirname, '..', 'support', 'ending-process.ts');
      const args = ['--import', 'tsx', program, database.connectionString, folder, how];
      execFile(process.execPath, args, (error, _, stderr) => resolve({ code: error?.code, stderr }));
    });

  it.each([
    ['throws what nobody catches', 'throw', 1, 'nobody caught this'],
    ['rejects what nobody catches', 'reject', 1, 'nobody caught this rejection'],
    ['exits by itself', 'exit', 3, ''],
  ])(
    'a process that %s right after a step has its record on disk, and its exit is unchanged',
    async (_, how, code, lastLine) => {
      const folder = await temporaryFolder();
      const ended = await end(folder, how);
      expect(ended.code).toBe(code);
      expect(ended.stderr).toContain(lastLine);
      expect(await steps(), 'there was no time to deliver it').toEqual([]);
      const frames = spoolsIn(folder)
        .flatMap(listSegments)
        .flatMap(({ path }) => readSegment(readFileSync(path)).frames);
      expect(frames.map((frame) => [frame.kind, toSpan(frame)?.attributes['weather.run.id']])).toEqual([
        ['whole', 1],
      ]);

      const successor = await record(database.connectionString, folder);
      expect(await successor.adopted).toEqual({ spools: 1, records: 1, closedSteps: 0 });
      expect(await steps()).toEqual([{ run_id: 1, status: 'succeeded' }]);
      await successor.close();
    },
  );
});

describe('an unwritable data directory', () => {
  it('an unwritable data directory fails with path, reason and remedy, and nothing stays open', async () => {
    const file = join(await temporaryFolder(), 'file');
    writeFileSync(file, '');
    const failing = record(database.connectionString, file);
    await expect(failing).rejects.toMatchObject({ category: 'validator_internal', retryable: false });
    await expect(failing).rejects.toThrow(/could not be kept in .*file.*ENOTDIR.*Set BAROGRAPH_DATA_DIR to/);
    await expect
      .poll(() =>
        rows(
          `select from pg_stat_activity where datname = current_database() and application_name = 'barograph-recorder'`,
        ),
      )
      .toEqual([]);
  });
});

describe('an unused spool', () => {
  it('a process is in the books before its first step, and leaves them closed and no folder when it recorded nothing', async () => {
    const folder = await temporaryFolder();
    const recording = await record(database.connectionString, folder);
    expect(spoolsIn(folder)).toHaveLength(1);
    const books = 'select last_sequence::int, closed_at is null as is_open from emitters';
    expect(await rows(books)).toEqual([{ last_sequence: 0, is_open: true }]);
    await recording.close();
    expect(spoolsIn(folder)).toEqual([]);
    expect(await rows(books)).toEqual([{ last_sequence: 0, is_open: false }]);
  });
});
