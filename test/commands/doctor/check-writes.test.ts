import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkWrites } from '#commands/doctor/check-writes';
import { createDatabasePool } from '#database/connect';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('checkWrites', () => {
  it('a batch of usual duration passes the check', async () => {
    expect(await checkWrites(database.pool)).toMatchObject({ ok: true });
  });

  it('a long batch of a recorder fails the check until it ends', async () => {
    const pool = createDatabasePool(database.connectionString, { applicationName: 'barograph-recorder' });
    const recorder = await pool.connect();
    try {
      await recorder.query('begin');
      const { ok, found } = await checkWrites(database.pool, 0);
      expect(ok).toBe(false);
      // Whether the server has begun to wait for the next statement already is up to the scheduler.
      expect(found).toMatch(
        /^the database is slow: a recorder has been writing one batch for 0 s(?: and waits for Client: ClientRead)?; records wait/,
      );
      await recorder.query('rollback');
      expect(await checkWrites(database.pool, 0)).toMatchObject({ ok: true });
    } finally {
      recorder.release();
      await pool.end();
    }
  });

  it('a long transaction of another application does not fail the check', async () => {
    const person = await database.pool.connect();
    try {
      await person.query('begin');
      expect(await checkWrites(database.pool, 0)).toMatchObject({ ok: true });
      await person.query('rollback');
    } finally {
      person.release();
    }
  });
});
