import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitIfTrue } from '#database/transaction';
import { addJobs, jobKey, jobPayloadSchema, TASKS } from '#pipeline/queue/jobs';
import { migrateQueue } from '#pipeline/queue/worker';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { beforeEachJob, lockFreeJobs } from '#test/support/private-jobs';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.pool);
});
afterAll(() => database.drop());

const RUN_AT = new Date('2030-01-01T00:00:00.123Z');
const queued = async (): Promise<unknown[]> => {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select task_identifier, key, run_at, priority from pipeline.jobs order by id',
  );
  return rows;
};

describe('jobKey', () => {
  it('a job key names task, row and revision', () => {
    expect(
      jobKey('score_lead', { runId: 1, minerUid: 0, scoreType: 'era5', leadHours: 24, revision: 0 }),
    ).toBe('score_lead:1:0:era5:24:r0');
  });

  it('a job for any revision has no key', () => {
    expect(jobKey('finish_run', { runId: 1 })).toBeNull();
  });
});

describe('addJobs', () => {
  it('jobs are committed or rolled back with the transaction of their transition', async () => {
    const add = (kept: boolean) =>
      commitIfTrue(database.pool, async (client) => {
        await addJobs(client, [
          { task: 'query', payload: { runId: 1, minerUid: 0, revision: 2 }, runAt: RUN_AT },
        ]);
        return kept;
      });
    await add(false);
    expect(await queued()).toEqual([]);
    await add(true);
    expect(await queued()).toEqual([
      { task_identifier: 'query', key: 'query:1:0:r2', run_at: RUN_AT, priority: TASKS.indexOf('query') },
    ]);
  });

  it('an urgent task has a lower priority number than a patient one', () => {
    expect(TASKS.indexOf('verify')).toBeLessThan(TASKS.indexOf('score_lead'));
  });

  it('an empty list adds no job', async () => {
    const before = await queued();
    await addJobs(database.pool, []);
    expect(await queued()).toEqual(before);
  });

  it('a job that the queue does not add is an error, so that its transition is rolled back', async () => {
    await lockFreeJobs(database.pool, { worker: 'someone', age: '0 seconds', deliveries: 0 });
    await beforeEachJob(database.pool, 'update', 'begin return null; end');
    const again = addJobs(database.pool, [
      { task: 'query', payload: { runId: 1, minerUid: 0, revision: 2 }, runAt: RUN_AT },
    ]);
    await expect(again).rejects.toThrow('The queue added 0 of 1 jobs');
  });
});

describe('jobPayloadSchema', () => {
  it.each([{}, { runId: '1' }, { runId: 1, scoreType: 'gfs' }])('the payload %j is rejected', (payload) => {
    expect(jobPayloadSchema.safeParse(payload).success).toBe(false);
  });

  it('a payload may name miner 0 and a lead', () => {
    const payload = { runId: 1, minerUid: 0, scoreType: 'day1', leadHours: 12, revision: 0 };
    expect(jobPayloadSchema.parse(payload)).toEqual(payload);
  });
});
