import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { workCommand } from '#commands/work/work';
import { workDaily, type WorkOptions } from '#commands/work/work-daily';
import { readConfig } from '#src/config';
import { startFleet, type Fleet } from '#fleet';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { tinyFiles, VALIDATOR } from '#test/pipeline/support/tiny-world';
import { testDataDirectory } from '#test/support/data-directory';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { captureOutput } from '../support/captured-output.ts';
import { invoke } from '../support/invoke.ts';
import { writeTinyStore } from '../support/tiny-stores.ts';

const DAY = 86_400_000;
const LEADS = [DAY1_LEAD_HOURS, ...ERA5_LEAD_HOURS];
/** Months ago, so that all truth is due. */
const INIT_TIME = new Date('2026-11-01T00:00:00Z');

let folder: string;
let fleet: Fleet;
let stores: WorkOptions['stores'];
let minersFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-work-'));
  const files = await tinyFiles({ initTime: INIT_TIME, leads: LEADS, error: 0.1, phase: 1 });
  fleet = await startFleet({
    count: 2,
    seed: 5,
    initTime: INIT_TIME,
    delayFactor: 1e-3,
    profiles: ['good', 'rejecting'],
    forecastFor: async () => files,
  });
  const world = { initTime: INIT_TIME, leads: LEADS };
  stores = {
    truth: await writeTinyStore(join(folder, 'truth.zarr'), world),
    climatology: await writeTinyStore(join(folder, 'climatology.zarr'), { ...world, error: -1.4, phase: 2 }),
    reference: join(folder, 'gfs-{YYYYMMDD}.zarr'),
  };
  await writeTinyStore(join(folder, 'gfs-20261101.zarr'), { ...world, error: 0.4, phase: 5 });
  minersFile = join(folder, 'miners.json');
  const miners = fleet.miners.map(({ uid, hotkey, baseUrl }) => ({ uid, hotkey, url: baseUrl }));
  await writeFile(minersFile, JSON.stringify(miners));
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true });
});

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  return () => database.drop();
});

/** A clock that stands at 20:00 of the day of the cycle; sleeping ends when the signal aborts, or at once. */
const standingClock = (now = new Date(INIT_TIME.getTime() + 20 * 3_600_000)) => ({
  now: () => now,
  sleep: (_millis: number, signal: AbortSignal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    }),
});

/** One process that works, until it is ended or by itself. */
function startWork(options: Partial<WorkOptions> = {}) {
  const controller = new AbortController();
  const output = captureOutput();
  let tellRun: () => void = () => undefined;
  const hasRun = new Promise<void>((resolve) => (tellRun = resolve));
  const ended = workDaily({
    stores,
    minersFile,
    at: 18 * 3_600_000,
    once: true,
    config: readConfig({
      DATABASE_URL: database.connectionString,
      BAROGRAPH_DATA_DIR: testDataDirectory(),
      BAROGRAPH_METRICS_PORT: '0',
      BAROGRAPH_VALIDATOR_HOTKEY: VALIDATOR,
      BAROGRAPH_DELAY_FACTOR: '1e-5',
      OTEL_SDK_DISABLED: 'true',
    }),
    isJson: true,
    output: {
      ...output,
      result: (text) => {
        output.result(text);
        if (text.includes('"run"')) tellRun();
      },
    },
    signal: controller.signal,
    time: standingClock(),
    ...options,
  });
  return { output, ended, hasRun, end: () => controller.abort(new Error('ended by the test')) };
}

const runs = async () =>
  (
    await database.pool.query<{ init_time: Date; status: string }>(
      'select init_time, status from pipeline.runs order by run_id',
    )
  ).rows;
const eventsOf = ({ results }: { readonly results: readonly string[] }) =>
  results.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('barograph work', () => {
  it('the run of the day is created with the stores of its cycle, and --once ends with its completion', async () => {
    const work = startWork();
    await work.ended;
    expect(eventsOf(work.output)).toEqual([
      expect.objectContaining({ event: 'started', at: '18:00' }),
      {
        event: 'run',
        validator_hotkey: VALIDATOR,
        run_id: 1,
        init_time: '2026-11-01T00:00:00.000Z',
        is_new: true,
      },
    ]);
    expect(await runs()).toEqual([{ init_time: INIT_TIME, status: 'completed' }]);
    const { rows } = await database.pool.query<{ state: string }>(
      'select state from pipeline.run_miners order by miner_uid',
    );
    expect(rows.map(({ state }) => state)).toEqual(['completed', 'failed']);
    expect(work.output.problems).toEqual([]);
  });

  it('a day gets no second run, neither during nor after the first', async () => {
    const first = startWork();
    const second = startWork();
    await Promise.all([first.ended, second.ended]);
    const third = startWork();
    await third.ended;
    expect(await runs()).toHaveLength(1);
    const areNew = [first, second, third].flatMap(({ output }) =>
      eventsOf(output).flatMap(({ event, is_new }) => (event === 'run' ? [is_new] : [])),
    );
    expect(areNew.filter((isNew) => isNew === true)).toHaveLength(1);
    expect(areNew).toHaveLength(3);
  });

  it("the next day's run is created at its time, and a signal ends the workers gracefully", async () => {
    let now = INIT_TIME.getTime() + 20 * 3_600_000;
    const slept: number[] = [];
    let wake: () => void = () => undefined;
    const time: WorkOptions['time'] = {
      now: () => new Date(now),
      sleep: (millis, signal) =>
        new Promise((resolve, reject) => {
          slept.push(millis);
          wake = () => resolve(undefined);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
    };
    const work = startWork({ once: false, time });
    await work.hasRun;
    await expect.poll(() => slept.length).toBe(1);
    now += DAY;
    wake();
    await expect.poll(async () => (await runs()).length).toBe(2);
    work.end();
    await work.ended;
    expect((await runs()).map(({ init_time }) => init_time)).toEqual([
      INIT_TIME,
      new Date(INIT_TIME.getTime() + DAY),
    ]);
    expect(work.output.endings).toEqual([
      expect.stringMatching(/^Ending; running steps have 30 s to finish/),
      expect.stringMatching(/^(Running steps that finished: \d+\.\n)?Ended; everything that was/),
    ]);
  });

  it('workers start with a warning when a store is missing', async () => {
    const work = startWork({ once: false, stores: { ...stores, truth: join(folder, 'nowhere.zarr') } });
    await work.hasRun;
    work.end();
    await work.ended;
    expect(work.output.problems[0]).toMatch(
      /^--truth cannot be read as a Zarr store: .*Steps that need it will wait\.$/,
    );
  });
});

describe('barograph work with invalid options', () => {
  const asked = (changes: Readonly<Record<string, string>> = {}) =>
    Object.entries({
      '--truth': stores.truth,
      '--climatology': stores.climatology,
      '--reference': stores.reference,
      '--miners-file': minersFile,
      ...changes,
    }).flat();
  const VALIDATOR_GIVEN = { BAROGRAPH_VALIDATOR_HOTKEY: VALIDATOR };

  it.each([
    ['a time that is none', { '--at': '25:00' }, VALIDATOR_GIVEN, /from 00:00 to 23:59/],
    ['no name of the validator', {}, {}, /BAROGRAPH_VALIDATOR_HOTKEY is not set/],
    [
      'a list of miners that is not there',
      { '--miners-file': '/nowhere/m.json' },
      VALIDATOR_GIVEN,
      /miners file m\.json cannot be read/,
    ],
    [
      'an unknown placeholder',
      { '--reference': '/gfs/{date}.zarr' },
      VALIDATOR_GIVEN,
      /--reference names the placeholder \{date\}/,
    ],
  ])('%s is refused before anything is opened', async (_what, changes, environment, message) => {
    const { exitCode, stdout, stderr } = await invoke(workCommand(), [...asked(changes), '--json'], {
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      ...environment,
    });
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });
});
