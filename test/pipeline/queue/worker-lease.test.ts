import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeForgottenJobs, freeOrphanedJobs, releaseJobs } from '#pipeline/queue/private-tables';
import { acquireLease } from '#pipeline/queue/worker-lease';
import { DEFAULTS } from '#pipeline/pipeline-options';
import { migrateQueue } from '#pipeline/queue/worker';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { deleteJobs, lockFreeJobs } from '#test/support/private-jobs';

const GRACE_MILLIS = 30_000;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.pool);
});
afterAll(() => database.drop());

const lockJob = async (worker: string, age: string): Promise<void> => {
  const { pool } = database;
  await deleteJobs(pool);
  await pool.query(`select pipeline.add_job('query', '{}')`);
  await lockFreeJobs(pool, { worker, age, deliveries: 1 });
};
const isLocked = async (): Promise<boolean> => {
  const { rows } = await database.pool.query<{ locked: boolean }>(
    'select locked_at is not null as locked from pipeline.jobs',
  );
  return rows[0]?.locked === true;
};

describe('freeOrphanedJobs: leases', () => {
  it('a live worker keeps its jobs, however long they take', async () => {
    const lease = await acquireLease(database.pool, 'pool-alive');
    await lockJob('pool-alive', '3 hours');
    expect(await freeOrphanedJobs(database.pool, GRACE_MILLIS)).toBe(0);
    expect(await isLocked()).toBe(true);
    await lease.release();
  });

  it('the jobs of a dead process are freed at once, not after hours', async () => {
    const lease = await acquireLease(database.pool, 'pool-dying');
    await lockJob('pool-dying', '1 minute');
    await lease.release();
    expect(await freeOrphanedJobs(database.pool, GRACE_MILLIS)).toBe(1);
    expect(await isLocked()).toBe(false);
  });

  it('a worker that has just started keeps its jobs before it holds its lease', async () => {
    await lockJob('pool-new', '1 second');
    expect(await freeOrphanedJobs(database.pool, GRACE_MILLIS)).toBe(0);
  });

  it('a worker whose connection was lost keeps its jobs by renewing its lease', async () => {
    const lease = await acquireLease(database.pool, 'pool-cut');
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_locks
       where locktype = 'advisory' and objsubid = 2 and pid <> pg_backend_pid()
         and database = (select oid from pg_database where datname = current_database())`,
    );
    await expect
      .poll(async () => {
        await lease.renew().catch(() => undefined);
        await lockJob('pool-cut', '1 minute');
        return freeOrphanedJobs(database.pool, GRACE_MILLIS);
      })
      .toBe(0);
    await lease.release();
    await lease.release();
  });
});

describe('freeOrphanedJobs: backoff', () => {
  /** Jobs of a dead worker, by how often each was handed out; they are due already. */
  const lockJobs = async (...deliveries: readonly number[]): Promise<void> => {
    await deleteJobs(database.pool);
    for (const count of deliveries) {
      await database.pool.query(`select pipeline.add_job('query', '{}')`);
      await lockFreeJobs(database.pool, { worker: 'pool-dead', age: '1 minute', deliveries: count });
    }
  };
  /** Seconds until each job is due, in the order in which they were queued. */
  const waits = async (): Promise<number[]> => {
    const { rows } = await database.pool.query<{ wait: number }>(
      `select greatest(0, round(extract(epoch from run_at - now())))::int as wait from pipeline.jobs order by id`,
    );
    return rows.map(({ wait }) => wait);
  };

  it('the jobs of a dead worker are due at once the first times, whatever killed it', async () => {
    await lockJobs(1, 2, 2);
    expect(await freeOrphanedJobs(database.pool, GRACE_MILLIS)).toBe(3);
    expect(await waits()).toEqual([0, 0, 0]);
  });

  it('suspected jobs come due one after the other, so that a crashing one costs no other a delivery', async () => {
    await lockJobs(3, 1, 3, 3);
    expect(await freeOrphanedJobs(database.pool, GRACE_MILLIS)).toBe(4);
    expect(await waits()).toEqual([0, 0, 30, 60]);
  });

  it.each([
    [3, 0],
    [4, 30],
    [5, 90],
    [6, 210],
    [7, 450],
    [8, 600],
    [999, 600],
  ])('a suspected job is due later each time: after %i deliveries in %i s', async (deliveries, seconds) => {
    await lockJobs(deliveries);
    await freeOrphanedJobs(database.pool, GRACE_MILLIS);
    expect(await waits()).toEqual([seconds]);
  });
});

describe('default recovery', () => {
  it('the jobs of a dead worker wait under a minute by default', () => {
    const { orphanCheckMillis, orphanGraceMillis, queuePollMillis } = DEFAULTS;
    expect(orphanCheckMillis + orphanGraceMillis + queuePollMillis).toBeLessThan(60_000);
  });
});

describe('releaseJobs', () => {
  it('released jobs are free at once, and the delivery does not count', async () => {
    const { pool } = database;
    await lockJob('pool-stopping', '1 second');
    expect(await releaseJobs(pool, 'pool-another')).toBe(0);
    expect(await releaseJobs(pool, 'pool-stopping')).toBe(1);
    expect(await isLocked()).toBe(false);
    const { rows } = await pool.query('select attempts from pipeline.jobs');
    expect(rows).toEqual([{ attempts: 0 }]);
  });
});

describe('freeForgottenJobs', () => {
  const jobId = async (): Promise<string> => {
    const { rows } = await database.pool.query<{ id: string }>('select id::text from pipeline.jobs');
    return rows[0]?.id ?? '';
  };

  it('a job is not freed while its worker is working on it', async () => {
    await lockJob('pool-busy', '3 hours');
    const own = { poolId: 'pool-busy', activeJobs: new Set([await jobId()]) };
    expect(await freeForgottenJobs(database.pool, own, GRACE_MILLIS)).toBe(0);
  });

  it('a job is freed when its worker never received it: the reply was lost with its connection', async () => {
    await lockJob('pool-busy', '1 minute');
    const own = { poolId: 'pool-busy', activeJobs: new Set(['999999']) };
    expect(await freeForgottenJobs(database.pool, own, GRACE_MILLIS)).toBe(1);
    expect(await isLocked()).toBe(false);
  });

  it('a job is not freed while its reply may still be in transit', async () => {
    await lockJob('pool-busy', '1 second');
    expect(
      await freeForgottenJobs(database.pool, { poolId: 'pool-busy', activeJobs: new Set() }, GRACE_MILLIS),
    ).toBe(0);
  });
});
