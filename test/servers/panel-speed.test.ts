import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowReader, askAsReader } from '#scripts/dashboards/reader';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { tableOf, timePanels } from './support/panel-times.ts';
import { writeHistory, type HistorySize } from '#bench/support/year-of-history';

const SIZE: HistorySize = { runs: 365, miners: 256, runsWithComponents: 26 };
const MOST_MILLIS = 100;
/** Writing ten million rows takes minutes, and more beside other work. */
const LONGEST_MILLIS = 1_800_000;
/** A run that is open and waits for truth, and one that has ended. */
const RUNS = [360, 345];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const before = performance.now();
  await writeHistory(database.pool, SIZE);
  await allowReader(database.pool);
  console.log(`A year of history was written in ${Math.round((performance.now() - before) / 1000)} s.`);
}, LONGEST_MILLIS);
afterAll(async () => {
  await database.drop();
});

async function countOf(table: string): Promise<number> {
  const { rows } = await askAsReader(database.pool, `select count(*)::int as count from ${table}`);
  return Number(rows[0]?.['count']);
}

describe('Panels over a year of history', () => {
  it('the generated history has the claimed size', async () => {
    expect(await countOf('weather_forecast_stats')).toBe(SIZE.runs * SIZE.miners);
    expect(await countOf('weather_forecast_steps')).toBeGreaterThan(3_600_000);
    expect(await countOf('weather_forecast_component_scores')).toBeGreaterThan(5_000_000);
  });

  it(
    `every panel returns within ${MOST_MILLIS} ms`,
    async () => {
      const { rows } = await askAsReader(
        database.pool,
        'select miner_hotkey from miner_stats where miner_uid = 17',
      );
      const times = await timePanels(database.pool, { runs: RUNS, miner: String(rows[0]?.['miner_hotkey']) });
      console.log(tableOf(times, MOST_MILLIS));
      expect(times.filter(({ millis }) => millis > MOST_MILLIS)).toEqual([]);
    },
    LONGEST_MILLIS,
  );
});
