import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spoolRoot } from '#recorder/process-spool';
import { startRecording } from '#recorder/recording';
import { listSegments } from '#spool/segments/segment-files';
import { readConfig } from '#src/config';
import { createRandom, deriveSeed } from '#world';
import { openBreakableProxy } from '../end-to-end/support/breakable-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { emptyTables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { FAULT_SEED } from './support/fault-settings.ts';
import { startRecorderProcess } from './support/recorder-process.ts';

const STEPS = 500;
const random = createRandom(deriveSeed(FAULT_SEED, 'unreadable spools'));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

/** Kills a process that acknowledged steps while the database was away. @returns its spool, and the acknowledged spans */
async function killedProcess() {
  const dataDirectory = await temporaryFolder();
  const proxy = await openBreakableProxy(database.connectionString);
  const load = { dataDirectory, seed: FAULT_SEED, inFlight: 0, commandedInFlight: 8, stepMillis: 0.2 };
  const recorder = startRecorderProcess({ ...load, databaseUrl: proxy.url, spoolLimitMib: 64 });
  await recorder.started;
  await proxy.cut();
  await recorder.work(STEPS / 2);
  await recorder.kill('SIGKILL');
  const root = spoolRoot({
    config: { dataDirectory },
    database: { connectionString: proxy.url, kind: 'given' },
  });
  const [name = ''] = readdirSync(root);
  return { dataDirectory, proxy, root, directory: join(root, name), acknowledged: recorder.acknowledged };
}

type Killed = Awaited<ReturnType<typeof killedProcess>>;

/** Lets the next process adopt the spool. @returns what it said, and the books */
async function adoptedBy({ dataDirectory, directory, proxy, acknowledged }: Killed) {
  const problems: string[] = [];
  await proxy.mend();
  const recording = await startRecording({
    config: readConfig({
      DATABASE_URL: proxy.url,
      BAROGRAPH_DATA_DIR: dataDirectory,
      BAROGRAPH_METRICS_PORT: '0',
    }),
    validatorHotkey: '5Validator',
    onProblem: (message) => problems.push(message),
  });
  await recording.adopted;
  const { rows: spans } = await database.pool.query<{ id: string }>(
    `select span_id as id from weather_forecast_steps where facts ->> 'closing' is null`,
  );
  const recorded = new Set(spans.map(({ id }) => id));
  const { rows: books } = await database.pool.query<{ missing: number; is_open: boolean }>(
    `select (select coalesce(sum(upper(part) - lower(part)), 0)::int from unnest(missing) as part) as missing,
       closed_at is null as is_open from emitter_books where instance_id = $1`,
    [basename(directory)],
  );
  const { rows: runs } = await database.pool.query<{ is_complete: boolean }>(
    `select unaccounted = 0 and missing_sequences is null as is_complete from run_completeness`,
  );
  await recording.close();
  await proxy.cut();
  return {
    problems,
    lost: [...acknowledged.keys()].filter((id) => !recorded.has(id)).length,
    book: books[0],
    runs,
  };
}

describe('a spool that cannot be read, or not to its end', () => {
  it('a spool whose segments are all foreign bytes is kept whole, and no book says that its runs are complete', async () => {
    const killed = await killedProcess();
    for (const { path } of listSegments(killed.directory))
      writeFileSync(
        path,
        readFileSync(path).map((byte) => byte ^ 0x55),
      );
    const bytes = listSegments(killed.directory).map(({ path }) => readFileSync(path));
    const { problems, lost, book, runs } = await adoptedBy(killed);
    expect(lost).toBe(killed.acknowledged.size);
    expect(book?.missing).toBeGreaterThanOrEqual(lost);
    expect(book?.is_open).toBe(true);
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.every(({ is_complete }) => !is_complete)).toBe(true);
    const place = `${killed.directory}.unreadable`;
    expect(listSegments(place).map(({ path }) => readFileSync(path))).toEqual(bytes);
    expect(problems.filter((problem) => problem.includes(place))).toHaveLength(1);
    console.info(
      `Seed ${FAULT_SEED}: ${lost} acknowledged steps unreadable, ${book?.missing} records missing.`,
    );
  });

  it.each([0.7, 0.9 * random(), 0.9 * random(), 0.9 * random()])(
    'a newest segment that is cut to %d of its length leaves the books open over what is gone',
    async (share) => {
      const killed = await killedProcess();
      const newest = listSegments(killed.directory).at(-1) ?? { path: '', bytes: 0 };
      truncateSync(newest.path, Math.floor(share * newest.bytes));
      const { problems, lost, book, runs } = await adoptedBy(killed);
      expect(lost).toBeGreaterThan(0);
      expect(book?.missing).toBeGreaterThanOrEqual(lost);
      expect(book?.is_open).toBe(true);
      expect(runs.every(({ is_complete }) => !is_complete)).toBe(true);
      expect(problems.filter((problem) => problem.includes('The log was cut off'))).toHaveLength(1);
      console.info(
        `Cut to ${share.toFixed(2)}: ${lost} acknowledged steps lost, ${book?.missing} records missing.`,
      );
    },
  );
});
