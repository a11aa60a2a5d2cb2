import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '#src/config';
import { startRecording } from '#recorder/recording';
import { createRandom, deriveSeed } from '#world';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';
import { startRecorderProcess, type RecorderProcess } from './support/recorder-process.ts';

/** How often each living process loses its spool. */
const LOSSES = wholeNumberOf('BAROGRAPH_FAULT_SPOOL_LOSSES', 4);
/** Longest time between two losses, ms. */
const LONGEST_PAUSE_MILLIS = 2500;
/** The owner file of a process that cannot live: numbers end at 2^22. */
const DEAD_OWNER = '4194305-7 token';

let database: TestDatabase;
let dataDirectory: string;
let trial = 0;
beforeEach(async () => {
  database = await createTestDatabase();
  dataDirectory = join(testDataDirectory(), `lost-spool-${(trial += 1)}`);
});
afterEach(() => database.drop());

const all = async <Row extends object>(sql: string): Promise<readonly Row[]> =>
  (await database.pool.query<Row>(sql)).rows;

/** The folders of all spools, whoever has them. */
function folders(): readonly string[] {
  const root = join(dataDirectory, 'spool');
  if (!existsSync(root)) return [];
  return readdirSync(root).flatMap((target) =>
    readdirSync(join(root, target)).map((name) => join(root, target, name)),
  );
}

const start = (inFlight: number): RecorderProcess =>
  startRecorderProcess({
    ...{ databaseUrl: database.connectionString, dataDirectory, seed: FAULT_SEED, inFlight },
    ...{ commandedInFlight: 0, stepMillis: 20, spoolLimitMib: 64 },
  });

/** A folder that a process holds: the one that it records into, or one of records that it rescued. */
function folderOf({ pid }: RecorderProcess): string | undefined {
  return folders().find((folder) => {
    const owner = join(folder, 'owner');
    return existsSync(owner) && readFileSync(owner, 'utf8').startsWith(`${pid}-`);
  });
}

const LOSS = {
  deleted: (folder: string): void => rmSync(folder, { recursive: true }),
  renamed: (folder: string): void => renameSync(folder, `${folder.slice(0, -4)}${randomUUID().slice(0, 4)}`),
  'taken for dead': (folder: string): void => writeFileSync(join(folder, 'owner'), DEAD_OWNER),
};

async function expectNothingLost(acknowledged: ReadonlyMap<string, string>): Promise<void> {
  const rows = await all<{ id: string }>(
    `select span_id as id from weather_forecast_steps_finished where status <> 'abandoned'`,
  );
  const recorded = new Set(rows.map(({ id }) => id));
  expect([...acknowledged.keys()].filter((id) => !recorded.has(id))).toEqual([]);
  const runs = await all(
    `select sum(started)::int as started, sum(recorded)::int as recorded, sum(dropped)::int as dropped,
       sum(in_flight)::int as in_flight, sum(spooled)::int as spooled, sum(unaccounted)::int as unaccounted,
       count(missing_sequences)::int as with_gaps from run_completeness`,
  );
  const [{ started, recorded: counted, dropped }] = runs as [Record<string, number>];
  expect(runs).toMatchObject([{ in_flight: 0, spooled: 0, unaccounted: 0, with_gaps: 0, dropped: 0 }]);
  expect(started, 'started = recorded + dropped').toBe((counted ?? 0) + (dropped ?? 0));
}

describe('a living process that loses its spool', () => {
  it.each(Object.entries(LOSS))(
    'every acknowledged step is recorded, and the books are complete: the folder is %s again and again',
    async (how, lose) => {
      const random = createRandom(deriveSeed(FAULT_SEED, `spool ${how}`));
      const [recorder, witness] = [start(8), start(0)];
      await Promise.all([recorder.started, witness.started]);
      for (let loss = 0; loss < LOSSES; loss += 1) {
        await sleep(random() * LONGEST_PAUSE_MILLIS);
        const folder = folderOf(recorder);
        if (folder !== undefined) lose(folder);
      }
      await sleep(2000);
      const { size } = recorder.acknowledged;
      await expect.poll(() => recorder.acknowledged.size, { timeout: 10_000 }).toBeGreaterThan(size + 50);
      expect(await recorder.kill('SIGTERM'), recorder.stderr()).toBe(0);
      witness.endInput();
      expect(await witness.ended, witness.stderr()).toBe(0);
      const successor = start(0);
      successor.endInput();
      expect(await successor.ended, successor.stderr()).toBe(0);
      await expectNothingLost(recorder.acknowledged);
      expect(folders()).toEqual([]);
      const messages = recorder.stderr().split('\n').filter(Boolean);
      // Of a folder that is taken over while it is rescued it is not known whether it was whole.
      const others = messages.filter((line) => !line.startsWith('The spool '));
      expect(others.filter((line) => !line.includes('was delivered. Records at its end'))).toEqual([]);
      console.info(
        `Seed ${FAULT_SEED}, ${how}: ${messages.length} losses noticed, ${recorder.acknowledged.size} acknowledged, all recorded.`,
      );
    },
  );

  it('a process that is killed after it lost its spool leaves what it had not delivered to the next one', async () => {
    const recorder = start(8);
    await recorder.started;
    await expect.poll(() => recorder.acknowledged.size, { timeout: 10_000 }).toBeGreaterThan(50);
    const folder = folderOf(recorder);
    if (folder !== undefined) rmSync(folder, { recursive: true });
    await expect.poll(() => recorder.stderr(), { timeout: 10_000 }).toContain('Recording goes on in');
    await sleep(500);
    expect(await recorder.kill('SIGKILL')).toBeNull();
    const successor = start(0);
    successor.endInput();
    expect(await successor.ended, successor.stderr()).toBe(0);
    await expectNothingLost(recorder.acknowledged);
  });
});

/** Whether this user may make a pid namespace, as root may outside most containers. */
const hasNamespaces = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

describe('a process in another pid namespace', () => {
  it.runIf(hasNamespaces)('its spool is left alone while its heartbeat goes on', async () => {
    const foreign = startRecorderProcess(
      {
        ...{ databaseUrl: database.connectionString, dataDirectory, seed: FAULT_SEED, inFlight: 4 },
        ...{ commandedInFlight: 0, stepMillis: 20, spoolLimitMib: 64 },
      },
      { before: ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] },
    );
    await foreign.started;
    const witness = start(0);
    await witness.started;
    await sleep(12_000);
    expect(folders().some((folder) => folder.includes('.adopting-'))).toBe(false);
    expect(foreign.stderr()).toBe('');
    await foreign.kill('SIGKILL');
    witness.endInput();
    await witness.ended;
  });
});

describe('a worker thread that is terminated', () => {
  it('its spool is adopted by the living process within 15 s, and its steps are recorded or closed', async () => {
    const problems: string[] = [];
    const recording = await startRecording({
      config: readConfig({
        DATABASE_URL: database.connectionString,
        BAROGRAPH_DATA_DIR: dataDirectory,
        BAROGRAPH_METRICS_PORT: '0',
      }),
      validatorHotkey: '5Validator',
      onProblem: (message) => problems.push(message),
    });
    const program = JSON.stringify(new URL('support/recording-thread.ts', import.meta.url).href);
    const worker = new Worker(
      `import('tsx/esm/api').then(({ register }) => { register(); return import(${program}); })`,
      { eval: true, workerData: { databaseUrl: database.connectionString, dataDirectory } },
    );
    await once(worker, 'message');
    await worker.terminate();
    const before = await all<{ complete: boolean }>(
      'select started = 3 and recorded = 3 as complete from run_completeness',
    );
    // The thread has told nobody yet, or it has told of what it had: a run without a row is not complete.
    expect(before.filter(({ complete }) => complete)).toEqual([]);
    const open = 'select count(*)::int as emitters from emitter_books where closed_at is null';
    expect(await all(open), 'the thread and the process').toEqual([{ emitters: 2 }]);
    const books =
      'select started::int, recorded::int, abandoned::int, unaccounted::int from run_completeness';
    await expect
      .poll(() => all(books), { timeout: 15_000, interval: 200 })
      .toEqual([{ started: 3, recorded: 3, abandoned: 1, unaccounted: 0 }]);
    // The last account and the removal of the folder follow the records.
    await expect.poll(folders, { timeout: 5000 }).toHaveLength(1);
    expect(await all(open)).toEqual([{ emitters: 1 }]);
    await recording.close();
    expect(folders()).toEqual([]);
    expect(problems).toEqual([]);
  });
});
