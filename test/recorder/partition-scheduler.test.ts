import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
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

describe('the maintenance of partitions', () => {
  it('the maintenance of partitions makes them ahead by the clock of this system', async () => {
    expect(await preparePartitions(database.pool)).toHaveLength(4);
    expect(await preparePartitions(database.pool)).toEqual([]);
  });

  it('the maintenance of partitions drops old ones as soon as it starts, and is closed when that has ended', async () => {
    const old = {
      ...endedSpan({ step: 'query' }),
      startTimeUnixNano: BigInt(Date.now() - HUNDRED_DAYS) * 1_000_000n,
    };
    await createPostgresExporter({ pool: database.pool }).exportObserved([old]);
    expect(await count('weather_forecast_steps')).toBe(1);
    const problems: string[] = [];
    const close = startPartitionMaintenance({
      pool: database.pool,
      retention: { weather_forecast_steps: 30 },
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => count('dropped_partitions')).toBe(1);
    await close();
    expect(await count('weather_forecast_steps')).toBe(0);
    expect(problems).toEqual([]);
  });

  it('the maintenance of partitions tells what is in the way and when it tries again, and stops nothing', async () => {
    const problems: string[] = [];
    const pool = { connect: () => Promise.reject(new Error('the database is away')) } as unknown as Pool;
    const close = startPartitionMaintenance({
      pool,
      retention: {},
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => problems).toHaveLength(1);
    await close();
    expect(problems).toEqual([
      'Old partitions could not be dropped, or new ones not made: the database is away. It is tried again in 10 minutes.',
    ]);
  });
});
