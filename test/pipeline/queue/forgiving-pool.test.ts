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

describe('createForgivingPool', () => {
  it('all statements of one client run on one connection, which is then released', async () => {
    const client = await pool.connect();
    const pid = async (): Promise<unknown> =>
      (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
    expect(await pid()).toBe(await pid());
    client.release();
    expect(database.pool.idleCount).toBe(database.pool.totalCount);
  });

  it('every other property is that of the pool itself', async () => {
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.options).toBe(database.pool.options);
  });

  it('a connection by callback, for notifications, is passed through', async () => {
    const client = await new Promise<PoolClient | undefined>((resolve) =>
      pool.connect((_error, connected) => resolve(connected)),
    );
    expect((await client?.query('select'))?.rowCount).toBe(1);
    client?.release();
  });

  it.each(['complete_job/pipeline', 'fail_job/pipeline', 'complete_jobs/pipeline'])(
    'a lost %s is reported as a problem and does not reject',
    async (name) => {
      problems.length = 0;
      const client = await unreachable().connect();
      expect(await client.query({ name, text: 'select' })).toEqual({ rows: [], rowCount: 0 });
      client.release();
      expect(problems).toEqual(['A job could not be closed and is delivered again: Error: ECONNREFUSED']);
    },
  );

  it('onClosing is called for each closing of a job and for no other statement', async () => {
    const closings: Promise<unknown>[] = [];
    const forgiving = createForgivingPool(database.pool, () => undefined, {
      onClosing: (closing) => closings.push(closing),
    });
    const client = await forgiving.connect();
    await client.query({ name: 'get_job/pipeline', text: 'select' });
    expect(closings).toEqual([]);
    await client.query({ name: 'complete_job/pipeline', text: 'select' });
    client.release();
    expect(await Promise.all(closings)).toHaveLength(1);
  });

  it('a failed fetch of a job rejects', async () => {
    const client = await unreachable().connect();
    await expect(client.query({ name: 'get_job/pipeline', text: 'select' })).rejects.toThrow('ECONNREFUSED');
    await expect(client.query('select')).rejects.toThrow('ECONNREFUSED');
  });
});
