import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GENERATED, SQL_TARGETS } from '../dashboards/support/generated.ts';
import { interpolateSql } from '../dashboards/support/interpolate.ts';
import { allowReader, askAsReader } from '../dashboards/support/reader.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { writeHistory, type HistorySize } from './support/year-of-history.ts';

const SIZE: HistorySize = { runs: 365, miners: 256, runsWithComponents: 26 };
const MOST_MILLIS = 100;
/** A run that is open and waits for truth, and one that has ended. */
const RUNS = [360, 345];
const MINER = `select miner_hotkey from miner_stats where miner_uid = 17`;

let database: TestDatabase;
let miner: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const before = performance.now();
  await writeHistory(database.pool, SIZE);
  await allowReader(database.pool);
  const [found] = (await askAsReader(database.pool, MINER)).rows;
  miner = String(found?.['miner_hotkey']);
  console.log(`A year of history was written in ${Math.round((performance.now() - before) / 1000)} s.`);
});
afterAll(async () => {
  await database.drop();
});

interface Timing {
  readonly name: string;
  readonly millis: number;
  readonly rows: number;
}

/** `now-90d` as an instant. */
function instantOf(text: string, now: number): Date {
  const [, count = '0', unit = 'd'] = /^now-(\d+)([hd])$/.exec(text) ?? [];
  return new Date(now - Number(count) * (unit === 'd' ? 86_400_000 : 3_600_000));
}

async function countOf(table: string): Promise<number> {
  const { rows } = await askAsReader(database.pool, `select count(*)::int as count from ${table}`);
  return Number(rows[0]?.['count']);
}

/** The middle of three times after one that warms up. */
async function timeOf(sql: string): Promise<{ readonly millis: number; readonly rows: number }> {
  const { rows } = await askAsReader(database.pool, sql);
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) times.push((await askAsReader(database.pool, sql)).millis);
  return { millis: times.sort((a, b) => a - b)[1] ?? Infinity, rows: rows.length };
}

const QUERIES = [
  ...SQL_TARGETS.map(({ dashboard, name, target }) => ({ dashboard, name, sql: target.rawSql })),
  ...GENERATED.flatMap((dashboard) =>
    dashboard.templating.list
      .filter(({ type }) => type === 'query')
      .map(({ name, query }) => ({ dashboard, name: `${dashboard.uid} variable ${name}`, sql: query })),
  ),
];

describe('a year of history', () => {
  it('has the size that is claimed', async () => {
    expect(await countOf('weather_forecast_stats')).toBe(SIZE.runs * SIZE.miners);
    expect(await countOf('weather_forecast_steps')).toBeGreaterThan(3_600_000);
    expect(await countOf('weather_forecast_component_scores')).toBeGreaterThan(5_000_000);
  });

  it(`shows every panel within ${MOST_MILLIS} ms`, async () => {
    const now = Date.now();
    const timings: Timing[] = [];
    for (const { dashboard, name, sql } of QUERIES) {
      const range = { from: instantOf(dashboard.time.from, now), to: new Date(now) };
      const texts = new Set(
        RUNS.map((run) => {
          const variables = { validator: '1', run: String(run), miner, jaeger: '' };
          return interpolateSql(sql, { ...range, variables });
        }),
      );
      const times = [];
      for (const text of texts) times.push(await timeOf(text));
      times.sort((a, b) => b.millis - a.millis);
      timings.push({
        name,
        millis: times[0]?.millis ?? Infinity,
        rows: Math.max(...times.map(({ rows }) => rows)),
      });
    }
    timings.sort((a, b) => b.millis - a.millis);
    const lines = timings.map(
      ({ name, millis, rows }) => `${millis.toFixed(1).padStart(8)} ${String(rows).padStart(6)}  ${name}`,
    );
    const slow = timings.filter(({ millis }) => millis > MOST_MILLIS);
    console.log(
      [
        '      ms   rows  panel',
        ...lines,
        `${timings.length} queries; ${slow.length} above ${MOST_MILLIS} ms.`,
      ].join('\n'),
    );
    expect(slow).toEqual([]);
  });
});
