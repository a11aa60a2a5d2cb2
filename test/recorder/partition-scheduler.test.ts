import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { Maintenance } from '#postgres/retention/retention';
import { preparePartitions, startPartitionMaintenance } from '#recorder/partition-scheduler';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { endedSpan } from '../support/spans.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const HUNDRED_DAYS = 100 * 86_400_000;

async function count(table: string): Promise<number> {
  return (await database.pool.query(`select from ${table}`)).rows.length;
}

describe('startPartitionMaintenance', () => {
  it('partitions are created ahead by the system clock', async () => {
    expect(await preparePartitions(database.pool)).toHaveLength(4);
    expect(await preparePartitions(database.pool)).toEqual([]);
  });

  it('expired partitions are dropped at the start, and closing waits for that', async () => {
    const old = {
      ...endedSpan({ step: 'query' }),
      startTimeUnixNano: BigInt(Date.now() - HUNDRED_DAYS) * 1_000_000n,
    };
    await createPostgresExporter({ pool: database.pool }).exportObserved([old]);
    expect(await count('weather_forecast_steps')).toBe(1);
    const problems: string[] = [];
    const rounds: Maintenance[] = [];
    const close = startPartitionMaintenance({
      pool: database.pool,
      retention: { weather_forecast_steps: 30 },
      onMaintained: (round) => rounds.push(round),
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => count('dropped_partitions')).toBe(1);
    await close();
    expect(await count('weather_forecast_steps')).toBe(0);
    expect(problems).toEqual([]);
    expect(rounds).toMatchObject([
      { dropped: [expect.stringMatching(/^weather_forecast_steps_/)], held: [] },
    ]);
  });

  it('a failure is reported with its reason and the time of the retry, and nothing stops', async () => {
    const problems: string[] = [];
    const pool = { connect: () => Promise.reject(new Error('the database is away')) } as unknown as Pool;
    const close = startPartitionMaintenance({
      pool,
      retention: {},
      onMaintained: () => undefined,
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => problems).toHaveLength(1);
    await close();
    expect(problems).toEqual([
      'Partitions could not be created or dropped: the database is away. The next attempt follows in 10 minutes.',
    ]);
  });
});
