import type { Pool, PoolClient } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabasePool } from '#database/connect';
import { commitIfTrue, inTransaction, type TransactionEnd } from '#database/transaction';
import { loseConnection } from '../support/lose-connection.ts';
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
  await database.pool.query('drop table if exists kept; create table kept (value int)');
});

const kept = async (): Promise<number> => (await database.pool.query('select from kept')).rows.length;
const insert = 'insert into kept values (1)';
const pidOf = async (client: Pick<PoolClient, 'query'>): Promise<number | undefined> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;

describe('inTransaction', () => {
  it('a transaction is committed and returns the result of its work', async () => {
    expect(await inTransaction(pool, async (client) => (await client.query(insert)).rowCount)).toBe(1);
    expect(await kept()).toBe(1);
  });

  it.each<[TransactionEnd, number]>([
    ['rollback', 0],
    ['commit', 1],
  ])('a transaction ends with the %s that options or result select', async (end, rows) => {
    const work = async (client: PoolClient) => (await client.query(insert)).rowCount;
    expect(await inTransaction(pool, work, { end })).toBe(1);
    expect(await kept()).toBe(rows);
    expect(await inTransaction(pool, work, { end: (count) => (count === 1 ? end : 'commit') })).toBe(1);
    expect(await kept()).toBe(rows * 2);
  });

  it('a transaction whose work throws is rolled back, and its connection is reused', async () => {
    const pid = await pidOf(pool);
    const failing = inTransaction(pool, async (client) => {
      await client.query(insert);
      throw new Error('half-way');
    });
    await expect(failing).rejects.toThrow('half-way');
    expect(await kept()).toBe(0);
    expect(await pidOf(pool)).toBe(pid);
  });

  it.each([false, true])(
    'a connection lost between two statements fails the transaction and is destroyed (long: %s)',
    async (isLong) => {
      const before = await pidOf(pool);
      const work = async (client: PoolClient): Promise<void> => {
        await client.query(insert);
        await loseConnection(client, database.pool);
        await client.query(insert);
      };
      await expect(inTransaction(pool, work, { isLong })).rejects.toThrow();
      expect(await kept()).toBe(0);
      expect(await pidOf(pool)).not.toBe(before);
    },
  );

  it('a connection returned to the pool has no remaining listener', async () => {
    let listeners = NaN;
    await inTransaction(pool, (client) => Promise.resolve((listeners = client.listenerCount('error'))));
    const client = await pool.connect();
    expect(client.listenerCount('error')).toBe(listeners - 1);
    client.release();
  });
});

describe('long transaction', () => {
  it('a long transaction may exceed the statement timeout, which applies again afterwards', async () => {
    await inTransaction(pool, (client) => client.query('select pg_sleep(0.7)'), { isLong: true });
    await expect(pool.query('select pg_sleep(0.7)')).rejects.toMatchObject({ code: '57014' });
  });

  it('a long transaction waits for locks without a timeout and reads committed data per statement', async () => {
    const settings = `select current_setting('lock_timeout') as "lockTimeout",
      current_setting('transaction_isolation') as isolation`;
    const strict = createDatabasePool(
      `${database.connectionString}?options=-c%20lock_timeout%3D5%20-c%20default_transaction_isolation%3Dserializable`,
    );
    const read = async (isLong: boolean): Promise<unknown> =>
      inTransaction(strict, async (client) => (await client.query(settings)).rows[0] as unknown, { isLong });
    expect(await read(false)).toEqual({ lockTimeout: '5ms', isolation: 'serializable' });
    expect(await read(true)).toEqual({ lockTimeout: '0', isolation: 'read committed' });
    await strict.end();
  });
});

describe('commitIfTrue', () => {
  it('a transaction whose work returns false or throws is rolled back', async () => {
    const attempt = (outcome: () => boolean) =>
      commitIfTrue(pool, async (client) => {
        await client.query(insert);
        return outcome();
      });
    expect(await attempt(() => false)).toBe(false);
    const failing = attempt(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await kept()).toBe(0);
    expect(await attempt(() => true)).toBe(true);
    expect(await kept()).toBe(1);
  });
});
