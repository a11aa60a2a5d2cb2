import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { dumpSchema } from '../support/schema-dump/schema-dump.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SCHEMA_FILE = join(import.meta.dirname, '..', '..', 'src', 'database', 'schema.sql');

let database: TestDatabase;
let dump: string;
beforeAll(async () => {
  database = await createTestDatabase();
  dump = await dumpSchema(database.pool);
});
afterAll(async () => database.drop());

describe('src/database/schema.sql', () => {
  it('schema.sql equals the migrated schema (npx vitest run test/database/schema-file.test.ts -u)', async () => {
    await expect(dump).toMatchFileSnapshot(SCHEMA_FILE);
  });

  it('schema.sql contains no date, so that it changes only with a migration', () => {
    expect(dump).not.toMatch(new RegExp(`${new Date().getUTCFullYear()}-\\d\\d-\\d\\d`));
  });
});

describe('SQL comments', () => {
  it('every table, every view and every column of a table has a comment', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select c.oid::regclass || coalesce('.' || a.attname, '') as name
        from pg_class c
        left join lateral (
          select 0 as attnum, null as attname
          union all
          select p.attnum, p.attname from pg_attribute p
          where p.attrelid = c.oid and p.attnum > 0 and not p.attisdropped and c.relkind in ('r', 'p')
        ) a on true
        where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
          and c.relnamespace not in (select oid from pg_namespace where nspname ~ '^pg_' or nspname = 'information_schema')
          and not exists (select from pg_description d
            where d.objoid = c.oid and d.objsubid = a.attnum and d.classoid = 'pg_class'::regclass)
        order by 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual([]);
  });
});
