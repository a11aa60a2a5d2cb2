import type { Pool, PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createForgivingPool } from '#pipeline/queue/forgiving-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
const problems: string[] = [];
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
  pool = createForgivingPool(database.pool, (message) => problems.push(message));
});
afterAll(() => database.drop());

const unreachable = (): Pool =>
  createForgivingPool(
    { connect: () => Promise.reject(new Error('ECONNREFUSED')) } as unknown as Pool,
    (message) => problems.push(message),
  );

describe('the pool of the queue', () => {
  it('the pool of the queue runs all statements of one client on one connection, and gives it back', async () => {
    const client = await pool.connect();
    const pid = async (): Promise<unknown> =>
      (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
    expect(await pid()).toBe(await pid());
    client.release();
    expect(database.pool.idleCount).toBe(database.pool.totalCount);
  });

  it('the pool of the queue is the pool itself in everything else', async () => {
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.options).toBe(database.pool.options);
  });

  it('the pool of the queue connects by callback as before, for the connection that listens', async () => {
    const client = await new Promise<PoolClient | undefined>((resolve) =>
      pool.connect((_error, connected) => resolve(connected)),
    );
    expect((await client?.query('select'))?.rowCount).toBe(1);
    client?.release();
  });

  it.each(['complete_job/pipeline', 'fail_job/pipeline', 'complete_jobs/pipeline'])(
    'the pool of the queue takes a lost %s for no error, but tells it',
    async (name) => {
      problems.length = 0;
      const client = await unreachable().connect();
      expect(await client.query({ name, text: 'select' })).toEqual({ rows: [], rowCount: 0 });
      client.release();
      expect(problems).toEqual(['A job could not be closed and is delivered again: Error: ECONNREFUSED']);
    },
  );

  it('the pool of the queue tells whoever waits for it of each closing and of nothing else', async () => {
    const closings: Promise<unknown>[] = [];
    const pool = createForgivingPool(database.pool, () => undefined, {
      onClosing: (closing) => closings.push(closing),
    });
    const client = await pool.connect();
    await client.query({ name: 'get_job/pipeline', text: 'select' });
    expect(closings).toEqual([]);
    await client.query({ name: 'complete_job/pipeline', text: 'select' });
    client.release();
    expect(await Promise.all(closings)).toHaveLength(1);
  });

  it('the pool of the queue does not hide that a job could not be fetched', async () => {
    const client = await unreachable().connect();
    await expect(client.query({ name: 'get_job/pipeline', text: 'select' })).rejects.toThrow('ECONNREFUSED');
    await expect(client.query('select')).rejects.toThrow('ECONNREFUSED');
  });
});
