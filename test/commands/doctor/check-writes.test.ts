import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineWriting } from '#commands/doctor/check-writes';
import { createDatabasePool } from '#database/connect';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('what is said of a database that takes its time', () => {
  it('what is said of a database that takes its time is nothing while a recorder writes a batch for no longer than usual', async () => {
    expect(await examineWriting(database.pool)).toMatchObject({ ok: true });
  });

  it('what is said of a database that takes its time names the batch of a recorder that is under way for long, and forgets it when it has ended', async () => {
    const pool = createDatabasePool(database.connectionString, { applicationName: 'barograph-recorder' });
    const recorder = await pool.connect();
    try {
      await recorder.query('begin');
      const { ok, found } = await examineWriting(database.pool, 0);
      expect(ok).toBe(false);
      // Whether the server has begun to wait for the next statement already is up to the scheduler.
      expect(found).toMatch(
        /^the database is slow: a recorder has been writing one batch for 0 s(?: and waits for Client: ClientRead)?; records wait/,
      );
      await recorder.query('rollback');
      expect(await examineWriting(database.pool, 0)).toMatchObject({ ok: true });
    } finally {
      recorder.release();
      await pool.end();
    }
  });

  it('what is said of a database that takes its time minds nobody else: a person may look at the tables for as long as that takes', async () => {
    const person = await database.pool.connect();
    try {
      await person.query('begin');
      expect(await examineWriting(database.pool, 0)).toMatchObject({ ok: true });
      await person.query('rollback');
    } finally {
      person.release();
    }
  });
});
