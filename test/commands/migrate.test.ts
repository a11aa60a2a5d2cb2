import { describe, expect, it } from 'vitest';
import { migrateCommand } from '#commands/migrate';
import { createTestDatabase } from '../support/postgres.ts';
import { invoke } from './support/invoke.ts';

describe('barograph migrate', () => {
  it('an empty database gets all migrations and the next partitions, and a second call changes nothing', async () => {
    const empty = await createTestDatabase({ isEmpty: true });
    const migrateIt = () => invoke(migrateCommand(), [], { DATABASE_URL: empty.connectionString });
    expect((await migrateIt()).stdout).toMatch(/^applied 1 .*\n[\s\S]*The database is at version \d+\.\n$/);
    expect(
      (await empty.pool.query(`select from pg_class where relname ~ '_(finished|scores)_\\d{8}$'`)).rows,
    ).toHaveLength(4);
    expect((await migrateIt()).stdout).toMatch(/^The database is at version \d+\.\n$/);
    await empty.drop();
  });
});
