import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitIfTrue } from '#database/transaction';
import { fencePool } from '#pipeline/queue/fenced-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

/** Whether a promise is still pending after everything that could settle it. */
const isOpen = async (promise: Promise<unknown>): Promise<boolean> => {
  await database.pool.query('select');
  return Promise.race([promise.then(() => false), Promise.resolve(true)]);
};

describe('fencePool', () => {
  it('an open fence passes every query to the pool', async () => {
    const { pool, remove } = fencePool(database.pool);
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const client = await pool.connect();
    client.release();
    expect(pool.totalCount).toBe(database.pool.totalCount);
    remove();
  });

  it('a query behind a closed fence never resolves, while the owner can use the pool', async () => {
    const { pool, close, remove } = fencePool(database.pool);
    await close();
    expect(await isOpen(pool.query('select'))).toBe(true);
    expect(await isOpen(pool.connect())).toBe(true);
    expect((await database.pool.query('select')).rowCount).toBe(1);
    remove();
  });

  it('a transaction under way commits before the fence counts as closed', async () => {
    const { pool, close, remove } = fencePool(database.pool);
    await database.pool.query('create table kept (value int)');
    let closed: Promise<void> = Promise.resolve();
    const committed = commitIfTrue(pool, async (client) => {
      closed = close();
      await client.query('insert into kept values (1)');
      return true;
    });
    expect(await committed).toBe(true);
    await closed;
    expect((await database.pool.query('select value from kept')).rows).toEqual([{ value: 1 }]);
    remove();
  });

  it('the fence counts as closed after a second although a connection was never released', async () => {
    const { pool, close, remove } = fencePool(database.pool);
    const client = await pool.connect();
    await close();
    client.release();
    remove();
  });

  it('no listener stays on the pool of its owner', () => {
    const before = database.pool.listenerCount('release');
    fencePool(database.pool).remove();
    expect(database.pool.listenerCount('release')).toBe(before);
  });
});
