import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  withAdvisoryLock,
  GFS_LOCK_CLASS,
  RUN_LOCK_CLASS,
  tryWithAdvisoryLock,
} from '#pipeline/control/advisory-lock';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

const LOCK = [GFS_LOCK_CLASS, '2026-11-23T00Z'] as const;
/** Locks of this database alone: other test files use the same server. */
const HELD_LOCKS = `select from pg_locks where locktype = 'advisory' and objsubid = 2
  and database = (select oid from pg_database where datname = current_database())`;
const heldLocks = async (): Promise<number> => (await database.pool.query(HELD_LOCKS)).rowCount ?? -1;

describe('tryWithAdvisoryLock', () => {
  it('the work is done under the lock, which is then released', async () => {
    expect(await tryWithAdvisoryLock(database.pool, LOCK, () => Promise.resolve(42))).toEqual({
      kind: 'done',
      result: 42,
    });
    expect(await heldLocks()).toBe(0);
  });

  it('the result is busy and the work is not done while another session holds the lock', async () => {
    let done = 0;
    const outer = await tryWithAdvisoryLock(database.pool, LOCK, () =>
      tryWithAdvisoryLock(database.pool, LOCK, () => Promise.resolve((done += 1))),
    );
    expect(outer).toEqual({ kind: 'done', result: { kind: 'busy' } });
    expect(done).toBe(0);
  });

  it('the locks of two cycles are independent', async () => {
    const other = [GFS_LOCK_CLASS, '2026-11-23T06Z'] as const;
    const outer = await tryWithAdvisoryLock(database.pool, LOCK, () =>
      tryWithAdvisoryLock(database.pool, other, () => Promise.resolve('both')),
    );
    expect(outer).toEqual({ kind: 'done', result: { kind: 'done', result: 'both' } });
  });

  it('the lock is released when the work throws', async () => {
    const work = tryWithAdvisoryLock(database.pool, LOCK, () => Promise.reject(new Error('no')));
    await expect(work).rejects.toThrow('no');
    await expect.poll(heldLocks).toBe(0);
  });
});

describe('withAdvisoryLock', () => {
  it('two sessions do their work one after the other', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await database.pool.query('select');
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withAdvisoryLock(database.pool, [RUN_LOCK_CLASS, 'one'], work)));
    expect(most).toBe(1);
    expect(await heldLocks()).toBe(0);
  });
});
