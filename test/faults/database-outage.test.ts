import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcile } from '#maintenance/maintenance';
import { createRandom, deriveSeed } from '#world';
import { testDataDirectory } from '../support/data-directory.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';
import { openFaultyDatabase, type FaultyDatabase } from './support/faulty-database.ts';
import type { Measured } from './support/measured-work.ts';
import { startRecorderProcess, type RecorderProcess } from './support/recorder-process.ts';

/** Spans of the long outage: ten minutes at 500 a second are 300,000. */
const SPANS = wholeNumberOf('BAROGRAPH_FAULT_OUTAGE_SPANS', 6000);
/** Each round of work is two spans. */
const ROUNDS = SPANS / 2;
const ROUNDS_OF_A_FAULT = Math.max(200, ROUNDS / 50);
const FAULTS = wholeNumberOf('BAROGRAPH_FAULT_DATABASE_FAULTS', 3);
const random = createRandom(deriveSeed(FAULT_SEED, 'database outage'));

let database: FaultyDatabase;
let recorder: RecorderProcess;
let rounds = 0;
/** What work took, by what was the matter with the database meanwhile. */
const measured: Record<string, Measured> = {};

beforeAll(async () => {
  database = await openFaultyDatabase();
  recorder = startRecorderProcess({
    databaseUrl: database.url,
    dataDirectory: join(testDataDirectory(), 'database-outage'),
    seed: FAULT_SEED,
    inFlight: 0,
    commandedInFlight: 8,
    stepMillis: 2,
    spoolLimitMib: 2048,
  });
  await recorder.started;
});
afterAll(async () => {
  await recorder.kill('SIGKILL');
  await database.close();
});

const work = async (name: string, count: number): Promise<void> => {
  rounds += count;
  measured[name] = await recorder.work(count);
};

/** Waits until all that was acknowledged is in the database; the recorder has nothing else to do meanwhile. */
async function untilRecorded(): Promise<void> {
  const start = performance.now();
  for (;;) {
    const known = await database.look(async (pool) => {
      const { rows } = await pool.query<{ n: number }>(
        'select count(*)::int as n from weather_forecast_steps_finished',
      );
      return rows[0]?.n ?? 0;
    });
    if (known === 2 * rounds) return;
    if (performance.now() - start > 1_200_000) throw new Error(`${known} of ${2 * rounds} steps came.`);
    await sleep(200);
  }
}

/** Nothing lost and nothing doubled: every acknowledged step once, counted once, and books that add up. */
async function expectAllRecorded(): Promise<void> {
  await untilRecorded();
  expect(recorder.acknowledged.size).toBe(2 * rounds);
  await database.look(async (pool) => {
    const { rows } = await pool.query<{ id: string }>(
      'select span_id as id from weather_forecast_steps_finished',
    );
    const recorded = new Set(rows.map(({ id }) => id));
    expect([...recorder.acknowledged.keys()].filter((id) => !recorded.has(id))).toEqual([]);
    expect(rows.length).toBe(recorded.size);
    const { rows: counted } = await pool.query(
      `select (select sum(hosting_successes + hosting_failures)::int from miner_stats) as folded,
         (select sum(unaccounted)::int from run_completeness) as unaccounted,
         (select count(*)::int from emitter_books where not isempty(missing) or conflict is not null) as gaps`,
    );
    expect(counted[0]).toEqual({ folded: rounds, unaccounted: 0, gaps: 0 });
  });
}

const mib = (bytes = 0): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
const formatMeasurement = (
  name: string,
  { rounds: done, seconds, p50, p99, maxRssBytes }: Measured,
): string =>
  `${name.padEnd(24)} ${String(2 * done).padStart(7)} spans in ${seconds.toFixed(1)} s, ` +
  `step latency p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, peak memory ${mib(maxRssBytes)}`;

describe('a recorder whose database fails', () => {
  it('a recorder with a working database gives the baseline', async () => {
    await work('warm-up', ROUNDS_OF_A_FAULT);
    await work('database works', Math.max(1000, ROUNDS / 10));
    await expectAllRecorded();
  });

  it(`${SPANS} spans are kept while the server is stopped, and all delivered when it is back`, async () => {
    await database.stop();
    await work('server stopped', ROUNDS);
    expect(measured['server stopped']).toMatchObject({
      dropped: { spool_full: 0, spool_failed: 0, queue_full: 0 },
    });
    const start = performance.now();
    await database.start();
    await expectAllRecorded();
    const seconds = (performance.now() - start) / 1000;
    console.info(`${SPANS} spans were delivered in ${seconds.toFixed(1)} s after the server was back.`);
  });

  it('no record is lost or doubled when the server is killed during transactions', async () => {
    for (let fault = 0; fault < FAULTS; fault += 1) {
      const working = work('server killed', ROUNDS_OF_A_FAULT);
      await sleep(random() * 300);
      database.kill();
      await sleep(random() * 300);
      await database.start();
      await working;
    }
    await expectAllRecorded();
  });

  it('no record is lost or doubled when the server is a read-only replica for a while', async () => {
    await database.setReadOnly(true);
    await work('server read-only', ROUNDS_OF_A_FAULT);
    await database.setReadOnly(false);
    await expectAllRecorded();
  });

  it('no record is lost or doubled when connections are cut at random', async () => {
    let cut = 0;
    for (let fault = 0; fault < FAULTS * 4; fault += 1) {
      const working = work('connections cut', ROUNDS_OF_A_FAULT);
      await sleep(random() * 150);
      cut += await database.cutConnections();
      await working;
    }
    expect(cut).toBeGreaterThan(0);
    await expectAllRecorded();
  });

  it('no record is lost or doubled when the disk of the server is full for a while', async (test) => {
    if (!database.hasOwnDisk)
      test.skip('a separate file system cannot be mounted here: that needs the privilege to mount');
    database.fillDisk();
    await work('disk of server full', ROUNDS_OF_A_FAULT * 5);
    await sleep(1000);
    database.freeDisk();
    await database.start();
    await expectAllRecorded();
  });

  it('the projections equal a rebuild from the log byte by byte after the outages', async () => {
    const request = { validatorHotkey: null, runId: null };
    const { differenceCount } = await database.look((pool) => reconcile(pool, request));
    expect(differenceCount).toBe(0);
  });

  it('no step waits for the database: latencies equal those of the baseline', () => {
    for (const [name, measurement] of Object.entries(measured))
      console.info(formatMeasurement(name, measurement));
    const { p99: usual = 0 } = measured['database works'] ?? {};
    expect(measured['server stopped']?.p99).toBeLessThan(2 * usual + 5);
    expect(measured['server read-only']?.p99).toBeLessThan(2 * usual + 5);
  });

  it('waiting records take no additional memory', () => {
    const before = measured['database works']?.maxRssBytes ?? 0;
    expect(measured['server stopped']?.maxRssBytes).toBeLessThan(before + 80 * 1024 * 1024);
  });

  it('the recorder ends gracefully with an empty spool', async () => {
    recorder.endInput();
    expect(await recorder.ended, recorder.stderr()).toBe(0);
    const { remainder, maxRssBytes } = JSON.parse(recorder.lastLine()) as {
      remainder: unknown;
      maxRssBytes: number;
    };
    expect(remainder).toMatchObject({ records: 0, openSteps: 0 });
    console.info(`Peak memory over all: ${mib(maxRssBytes)}.`);
  });
});
