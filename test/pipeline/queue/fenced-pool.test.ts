import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitIfTrue } from '#database/transaction';
import { fencePool } from '#pipeline/queue/fenced-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

/** Whether a promise is still open after all that could settle it was done. */
const isOpen = async (promise: Promise<unknown>): Promise<boolean> => {
  await database.pool.query('select');
  return Promise.race([promise.then(() => false), Promise.resolve(true)]);
};

describe('a fenced pool', () => {
  it('a fenced pool answers like the pool itself while the fence is open', async () => {
    const { pool, remove } = fencePool(database.pool);
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const client = await pool.connect();
    client.release();
    expect(pool.totalCount).toBe(database.pool.totalCount);
    remove();
  });

  it('a fenced pool never answers behind a closed fence, while the owner goes on', async () => {
    const { pool, close, remove } = fencePool(database.pool);
    await close();
    expect(await isOpen(pool.query('select'))).toBe(true);
    expect(await isOpen(pool.connect())).toBe(true);
    expect((await database.pool.query('select')).rowCount).toBe(1);
    remove();
  });

  it('a fenced pool lets a transaction that is under way commit before it counts as closed', async () => {
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

  it('a fenced pool counts as closed after a second although a connection was never given back', async () => {
    const { pool, close, remove } = fencePool(database.pool);
    const client = await pool.connect();
    await close();
    client.release();
    remove();
  });

  it('a fenced pool leaves no listener on the pool of its owner', () => {
    const before = database.pool.listenerCount('release');
    fencePool(database.pool).remove();
    expect(database.pool.listenerCount('release')).toBe(before);
  });
});
