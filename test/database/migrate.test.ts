import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createDatabasePool } from '#database/connect';
import { migrate } from '#database/migrate';
import { migrationStatus } from '#database/migration-status';
import { interceptPool } from '../support/intercepted-pool.ts';
import { loseConnection } from '../support/lose-connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FIRST = 'create table first (n int);';
const SECOND = 'create table second (n int); insert into second values (2);';

/** A folder of migrations, numbered as they come. */
async function folderOf(...migrations: (readonly [name: string, sql: string])[]): Promise<string> {
  const folder = await temporaryFolder();
  const write = async ([name, sql]: readonly [string, string], index: number): Promise<void> =>
    writeFile(join(folder, `${String(index + 1).padStart(4, '0')}_${name}.sql`), sql);
  await Promise.all(migrations.map(write));
  return folder;
}

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({ isEmpty: true });
  onTestFinished(async () => database.drop());
  return database;
}

async function tablesOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  return rows.map(({ name }) => name);
}

describe('migrate', () => {
  it('pending migrations are applied in order and reported, and a second call does nothing', async () => {
    const { pool } = await emptyDatabase();
    const directory = await folderOf(['first', FIRST], ['second', SECOND]);
    expect(await migrate(pool, { directory })).toEqual({
      version: 2,
      applied: [
        { version: 1, name: 'first' },
        { version: 2, name: 'second' },
      ],
    });
    expect(await migrate(pool, { directory })).toEqual({ version: 2, applied: [] });
    expect(await tablesOf(pool)).toEqual(['barograph_migrations', 'first', 'second']);
  });

  it('a migrated database gets only the newer migrations', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['first', FIRST]) });
    const { applied } = await migrate(pool, {
      directory: await folderOf(['first', FIRST], ['second', SECOND]),
    });
    expect(applied).toEqual([{ version: 2, name: 'second' }]);
  });

  it('a folder without migrations leaves the database at version 0', async () => {
    const { pool } = await emptyDatabase();
    expect(await migrate(pool, { directory: await folderOf() })).toEqual({ version: 0, applied: [] });
  });

  it('concurrent migrators apply each migration once, and all of them return the final version', async () => {
    const { connectionString, pool } = await emptyDatabase();
    const slow = `${SECOND} select pg_sleep(0.05);`;
    const directory = await folderOf(
      ['first', FIRST],
      ['second', slow],
      ['third', 'create table third (n int)'],
    );
    const pools = [1, 2, 3, 4].map(() =>
      createDatabasePool(connectionString, { statementTimeoutMillis: 20 }),
    );
    const results = await Promise.all(pools.map(async (own) => migrate(own, { directory })));
    await Promise.all(pools.map(async (own) => own.end()));
    const applied = results.flatMap((result) => result.applied.map(({ version }) => version));
    expect(applied.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(results.map(({ version }) => version)).toEqual([3, 3, 3, 3]);
    expect((await pool.query('select n from second')).rows).toEqual([{ n: 2 }]);
  });

  it('a migration may exceed the statement timeout, which applies again afterwards', async () => {
    const { connectionString } = await emptyDatabase();
    const pool = createDatabasePool(connectionString, { statementTimeoutMillis: 50, maxConnections: 1 });
    onTestFinished(async () => pool.end());
    await migrate(pool, { directory: await folderOf(['slow', 'select pg_sleep(0.1)']) });
    await expect(pool.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
  });
});

describe('migration beside a living writer', () => {
  it('a migration that finds its lock taken is tried again after a pause, when the writer has committed', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['first', FIRST]) });
    const writer = await pool.connect();
    await writer.query('begin; insert into first values (1)');
    const pauses: number[] = [];
    const pause = async (millis: number): Promise<void> => {
      if (pauses.push(millis) === 2) await writer.query('commit');
    };
    const directory = await folderOf(['first', FIRST], ['second', `lock table first nowait; ${SECOND}`]);
    expect(await migrate(pool, { directory, pause })).toMatchObject({ version: 2 });
    expect(pauses).toHaveLength(2);
    writer.release();
  });

  /** Fails as the server does that finds a deadlock; a sequence counts the attempts, since it is not rolled back. */
  const deadlocks = (times: number): string =>
    `do $$ begin if nextval('attempts') <= ${times} then
       raise exception 'deadlock detected' using errcode = '40P01'; end if; end $$`;

  it.each([
    [1, 'applied'],
    [4, 'applied'],
    [5, 'deadlock detected. It was rolled back'],
  ])('a migration that ends in %i deadlocks is %s', async (times, outcome) => {
    const { pool } = await emptyDatabase();
    await pool.query('create sequence attempts');
    const pauses: number[] = [];
    const pause = async (millis: number): Promise<number> => Promise.resolve(pauses.push(millis));
    const migrating = migrate(pool, { directory: await folderOf(['first', deadlocks(times)]), pause });
    if (outcome === 'applied') expect(await migrating).toMatchObject({ version: 1 });
    else await expect(migrating).rejects.toThrow(outcome);
    expect(pauses).toHaveLength(Math.min(times, 4));
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  });

  it('a migration that fails for another reason is not tried again', async () => {
    const { pool } = await emptyDatabase();
    const pauses: number[] = [];
    const pause = async (millis: number): Promise<number> => Promise.resolve(pauses.push(millis));
    await expect(
      migrate(pool, { directory: await folderOf(['broken', 'select 1 / 0']), pause }),
    ).rejects.toThrow('division by zero');
    expect(pauses).toEqual([]);
  });
});

describe('lost connection during a migration', () => {
  it('a connection lost between two statements rolls the migration back and leaves the pool usable', async () => {
    const { pool, connectionString } = await emptyDatabase();
    const directory = await folderOf(['first', FIRST]);
    const own = createDatabasePool(connectionString, { maxConnections: 1 });
    onTestFinished(async () => own.end());
    const losing = interceptPool(own, async (text, run, client) => {
      const result = await run();
      if (text.includes('create table if not exists')) await loseConnection(client, pool);
      return result;
    });
    await expect(migrate(losing, { directory })).rejects.toThrow();
    expect(await tablesOf(pool)).toEqual([]);
    expect((await migrate(own, { directory })).version).toBe(1);
  });
});

describe('failing migration', () => {
  const BROKEN = 'create table half (n int);\n\ninsert into half values (1);\nselect * from nowhere;';

  it('a failing migration is reported with its line and rolled back, and earlier ones remain', async () => {
    const { pool } = await emptyDatabase();
    const directory = await folderOf(['first', FIRST], ['broken', BROKEN]);
    await expect(migrate(pool, { directory })).rejects.toThrow(
      /0002_broken\.sql failed in line 4: relation "nowhere" does not exist\. It was rolled back/,
    );
    expect(await tablesOf(pool)).toEqual(['barograph_migrations', 'first']);
    expect((await migrationStatus(pool, { directory })).current).toBe(1);
  });

  it('a failed migration can be corrected and applied', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['broken', BROKEN]) }).catch(() => undefined);
    const { applied } = await migrate(pool, { directory: await folderOf(['broken', FIRST]) });
    expect(applied).toEqual([{ version: 1, name: 'broken' }]);
  });

  it('an error without a position is reported without a line', async () => {
    const { pool } = await emptyDatabase();
    const directory = await folderOf(['broken', 'select 1 / 0']);
    await expect(migrate(pool, { directory })).rejects.toThrow('0001_broken.sql failed: division by zero');
  });
});

describe('database with an unknown history', () => {
  it('a database newer than the program is rejected with both versions and not changed', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['first', FIRST], ['second', SECOND]) });
    const old = await folderOf(['first', FIRST]);
    await expect(migrate(pool, { directory: old })).rejects.toThrow(
      /has schema version 2\. Allowed: up to 1, .*Start the newer program/,
    );
    expect(await tablesOf(pool)).toContain('second');
  });

  it('a database whose version has another name is rejected', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['first', FIRST]) });
    const other = await folderOf(['other', FIRST], ['second', SECOND]);
    await expect(migrate(pool, { directory: other })).rejects.toThrow(
      /calls schema version 1 "first"\. Allowed: "other"/,
    );
    expect(await tablesOf(pool)).not.toContain('second');
  });
});

describe('migrationStatus', () => {
  it('the status of an empty database lists every migration as pending and changes nothing', async () => {
    const { pool } = await emptyDatabase();
    const directory = await folderOf(['first', FIRST], ['second', SECOND]);
    expect(await migrationStatus(pool, { directory })).toEqual({
      current: 0,
      latest: 2,
      applied: [],
      pending: [
        { version: 1, name: 'first' },
        { version: 2, name: 'second' },
      ],
    });
    expect(await tablesOf(pool)).toEqual([]);
  });

  it('the status of a partly migrated database lists applied migrations with time, and pending ones', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['first', FIRST]) });
    const status = await migrationStatus(pool, {
      directory: await folderOf(['first', FIRST], ['second', SECOND]),
    });
    expect(status).toMatchObject({ current: 1, latest: 2, pending: [{ version: 2, name: 'second' }] });
    expect(status.applied).toEqual([{ version: 1, name: 'first', appliedAt: expect.any(Date) as Date }]);
  });

  it('the status of a newer database shows a current version above the latest known one', async () => {
    const { pool } = await emptyDatabase();
    await migrate(pool, { directory: await folderOf(['first', FIRST], ['second', SECOND]) });
    expect(await migrationStatus(pool, { directory: await folderOf(['first', FIRST]) })).toMatchObject({
      current: 2,
      latest: 1,
      pending: [],
    });
  });
});
