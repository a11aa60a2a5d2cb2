import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { longTransaction } from '../../src/database/long-transaction.ts';
import { createDatabasePool } from '../../src/database/connect.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
  pool = createDatabasePool(database.connectionString, { maxConnections: 1, statementTimeoutMillis: 500 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query('drop table if exists told; create table told (word text)');
});

const told = async (): Promise<number> => (await database.pool.query('select from told')).rows.length;
const tell = `insert into told values ('word')`;

describe('a long transaction', () => {
  it('is kept or taken back as its end says, and hands on what was found in it', async () => {
    const work = (end: 'commit' | 'rollback') =>
      longTransaction(pool, end, async (client) => (await client.query(tell)).rowCount);
    expect(await work('rollback')).toBe(1);
    expect(await told()).toBe(0);
    expect(await work('commit')).toBe(1);
    expect(await told()).toBe(1);
  });

  it('is taken back when its work fails, and gives its connection back', async () => {
    const failing = longTransaction(pool, 'commit', async (client) => {
      await client.query(tell);
      throw new Error('half-way');
    });
    await expect(failing).rejects.toThrow('half-way');
    expect(await told()).toBe(0);
  });

  it('may take longer than a statement of the pool, which keeps its limit afterwards', async () => {
    await longTransaction(pool, 'commit', (client) => client.query('select pg_sleep(0.7)'));
    await expect(pool.query('select pg_sleep(0.7)')).rejects.toMatchObject({ code: '57014' });
  });

  it('throws away a connection that was lost in it', async () => {
    const lost = longTransaction(pool, 'commit', async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const gone = new Promise((resolve) => client.once('end', () => resolve(undefined)));
      await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await gone;
      await client.query(tell);
    });
    await expect(lost).rejects.toThrow();
    expect(await told()).toBe(0);
  });
});
