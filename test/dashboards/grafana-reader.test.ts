import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg, { type Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabasePool } from '#database/connect';
import { migrate } from '#database/migrate';
import { createTestDatabase, testServerUrl, type TestDatabase } from '../support/postgres.ts';

/** Roles belong to the whole server, which other runs use too: the script makes one of this run alone. */
const ROLE = `grafana_reader_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
const SCRIPT = join(import.meta.dirname, '../../dashboards/provisioning/grafana-reader.sql');
const SQL = readFileSync(SCRIPT, 'utf8').replaceAll('grafana_reader', ROLE);

let migrated: TestDatabase;
let fresh: TestDatabase;
let readers: Pool[];
beforeAll(async () => {
  // One database was there before the role, and one is made after it, as compose makes it.
  [migrated, fresh] = await Promise.all([createTestDatabase(), createTestDatabase({ isEmpty: true })]);
  await migrated.pool.query(SQL);
  await fresh.pool.query(SQL);
  await migrate(fresh.pool);
  const password = randomUUID();
  await migrated.pool.query(`alter role ${ROLE} password '${password}'`);
  readers = [migrated, fresh].map(({ connectionString }) => {
    const url = new URL(connectionString);
    url.username = ROLE;
    url.password = password;
    // Not ours, which sets limits of its own: Grafana has none.
    return new pg.Pool({ connectionString: url.href, max: 1 });
  });
});
afterAll(async () => {
  await Promise.all(readers.map((reader) => reader.end()));
  await fresh.drop();
  const owner = createDatabasePool(testServerUrl(), { maxConnections: 1 });
  await migrated.drop();
  await owner.query(`drop role ${ROLE}`);
  await owner.end();
});

/** The error message of PostgreSQL for a statement; null when it succeeds. */
const refusalOf = (reader: Pool, statement: string): Promise<string | null> =>
  reader.query(statement).then(
    () => null,
    (error: unknown) => String(error),
  );
const namesOf = async (reader: Pool, kinds: string): Promise<readonly string[]> => {
  const { rows } = await reader.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind = any ($1) order by 1`,
    [kinds.split('')],
  );
  return rows.map(({ name }) => name);
};

describe('Read-only role of Grafana', () => {
  it('the role reads every recorded table and view, whether the role or the tables came first', async () => {
    for (const reader of readers) {
      const names = await namesOf(reader, 'rpv');
      expect(names).toEqual(
        expect.arrayContaining(['weather_forecast_steps', 'run_completeness', 'miner_stats']),
      );
      for (const name of names)
        expect(await refusalOf(reader, `select from ${name} limit 1`), name).toBeNull();
    }
  });

  it('the role cannot change anything, even in a transaction that is not read-only', async () => {
    for (const reader of readers) {
      expect(await refusalOf(reader, 'delete from miner_stats')).toMatch(/read-only transaction/);
      for (const statement of ['delete from miner_stats', 'create table mine (id int)']) {
        const writing = `begin; set transaction read write; ${statement}; commit`;
        expect(await refusalOf(reader, writing), statement).toMatch(/permission denied/);
        await reader.query('rollback');
      }
    }
  });

  it('the role has no access to the control state of the pipeline or to its queue', async () => {
    for (const reader of readers)
      expect(await refusalOf(reader, 'select from pipeline.runs')).toMatch(/permission denied for schema/);
  });

  it('queries and idle transactions of the role are limited to 15 seconds', async () => {
    for (const reader of readers) {
      const { rows } = await reader.query<{ name: string; setting: string }>(
        `select name, setting from pg_settings
         where name in ('statement_timeout', 'idle_in_transaction_session_timeout') order by name`,
      );
      expect(rows.map(({ setting }) => setting)).toEqual(['15000', '15000']);
    }
  });

  it('a second run of the script leaves the role unchanged', async () => {
    expect(await refusalOf(migrated.pool, SQL)).toBeNull();
  });
});
