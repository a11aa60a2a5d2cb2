import { describe, expect, it } from 'vitest';

import { migrationStatus } from '#database/migration-status';
import { createTestDatabase, testServerUrl } from './postgres.ts';

describe('createTestDatabase', () => {
  it('each test database is migrated and separate, even if many are created concurrently', async () => {
    const databases = await Promise.all([1, 2, 3].map(async () => createTestDatabase()));
    expect(new Set(databases.map(({ connectionString }) => connectionString)).size).toBe(3);
    for (const { pool } of databases) {
      const { current, latest, pending } = await migrationStatus(pool);
      expect(pending).toEqual([]);
      expect(current).toBe(latest);
    }
    await Promise.all(databases.map(async (database) => database.drop()));
  });

  it('a test database does not show rows of another one', async () => {
    const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await first.pool.query('create table mine (n int)');
    expect((await second.pool.query(`select to_regclass('mine') as found`)).rows).toEqual([{ found: null }]);
    await Promise.all([first.drop(), second.drop()]);
  });

  it('a dropped test database is gone, even if a client is still connected', async () => {
    const database = await createTestDatabase({ isEmpty: true });
    const name = new URL(database.connectionString).pathname.slice(1);
    await database.drop();
    const other = await createTestDatabase({ isEmpty: true });
    const { rows } = await other.pool.query('select from pg_database where datname = $1', [name]);
    expect(rows).toHaveLength(0);
    expect(new URL(testServerUrl()).host).toBe(new URL(other.connectionString).host);
    await other.drop();
  });
});
