import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { METRICS } from '#semconv/metrics';
import { reconcile, reconcileMetrics } from '#maintenance/maintenance';
import { startRecorderProcess, type RecorderProcess } from '../faults/support/recorder-process.ts';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let running: RecorderProcess | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await running?.kill('SIGKILL');
});
afterAll(() => database.drop());

/** A process on the spool of the one before; `inFlight` steps go on at a time, none when it only delivers. */
async function start(seed: number, inFlight: number): Promise<string> {
  running = startRecorderProcess({
    databaseUrl: database.connectionString,
    dataDirectory: join(testDataDirectory(), 'scraped-restart'),
    seed,
    inFlight,
    commandedInFlight: 0,
    stepMillis: 5,
    spoolLimitMib: 16,
  });
  return running.started;
}

/** The counters of miners by series, of one scrape. */
async function scrapeCounters(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(url)).text();
  const lines = text.match(/^barograph_miner_\w+_total\{.*$/gm) ?? [];
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const sumOf = (counters: ReadonlyMap<string, number>): number =>
  [...counters.values()].reduce((sum, value) => sum + value, 0);

/** Checks that the table counts each step of the log once and that the metrics equal the table, under the writers' lock. */
async function expectNothingDoubled(url: string): Promise<void> {
  const { rows, differenceCount } = await reconcile(database.pool, { validatorHotkey: null, runId: null });
  expect(differenceCount).toBe(0);
  expect(rows['miner_stats']).toBeGreaterThan(0);
  expect((await reconcileMetrics(database.pool, url)).differences).toEqual([]);
}

describe('a process that is killed between two scrapes', () => {
  it('counters neither decrease nor count twice across a kill, and no drift appears', async () => {
    let before: ReadonlyMap<string, number> = new Map();
    for (const seed of [1, 2, 3]) {
      const url = await start(seed, seed === 3 ? 0 : 4);
      const after = await scrapeCounters(url);
      for (const [series, value] of before) expect(after.get(series)).toBeGreaterThanOrEqual(value);
      const atStart = sumOf(after);
      if (seed !== 3) {
        await vi.waitUntil(async () => sumOf(await scrapeCounters(url)) > atStart + 60, { timeout: 30_000 });
      }
      await expectNothingDoubled(url);
      before = await scrapeCounters(url);
      expect(await (await fetch(url)).text()).toContain(`\n${METRICS.minerStatsDrift.name} 0\n`);
      await running?.kill('SIGKILL');
    }
    expect(before.size).toBeGreaterThan(6);
  });
});
