import { randomUUID } from 'node:crypto';

import type { Pool } from 'pg';
import { inject } from 'vitest';

import { createDatabasePool } from '#database/connect';
import { migrate } from '#database/migrate';

/** A database of a test file alone. */
export interface TestDatabase {
  readonly connectionString: string;
  readonly pool: Pool;
  /** Closes the pool and drops the database, even if others are connected. */
  drop(): Promise<void>;
}

/** What the new database holds. */
export interface TestDatabaseOptions {
  /** An empty database instead of a migrated one. */
  readonly isEmpty?: boolean;
}

/** The key of the advisory lock under which the template of a run is made. */
const TEMPLATE_LOCK_KEY = 7_235_421;

/** The URL of the server on which the databases of this run are made; its user is a superuser. */
export function testServerUrl(): string {
  return inject('databaseServerUrl');
}

/**
 * Makes a database for one test file: migrated, by cloning the template of the run, or empty.
 *
 * Call it in `beforeAll` and `drop` in `afterAll`.
 */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const prefix = inject('databasePrefix');
  const name = `${prefix}${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await withServer(async (server) => {
    const template =
      options.isEmpty === true ? 'template1' : await ensureTemplate(server, `${prefix}template`);
    await server.query(`create database ${name} template ${template}`);
  });
  const connectionString = databaseUrl(name);
  const pool = createDatabasePool(connectionString);
  return {
    connectionString,
    pool,
    drop: async () => {
      await pool.end();
      await withServer(async (server) => server.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/**
 * Makes the template unless another worker has. It gets its name only when it is complete, and nobody connects to it
 * afterwards, for a database that is connected to cannot be cloned.
 */
async function ensureTemplate(server: Pool, template: string): Promise<string> {
  const lock = await server.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK_KEY]);
    const { rows } = await lock.query('select from pg_database where datname = $1', [template]);
    if (rows.length === 0) await makeTemplate(lock, template);
    return template;
  } finally {
    // Ending the session gives the lock back, whatever happened before.
    lock.release(true);
  }
}

async function makeTemplate(server: Pick<Pool, 'query'>, template: string): Promise<void> {
  const draft = `${template}_draft`;
  await server.query(`drop database if exists ${draft} with (force)`);
  await server.query(`create database ${draft} template template1`);
  const pool = createDatabasePool(databaseUrl(draft), { maxConnections: 1 });
  try {
    await migrate(pool);
  } finally {
    await pool.end();
  }
  await server.query(`alter database ${draft} rename to ${template}`);
}

function databaseUrl(name: string): string {
  const url = new URL(testServerUrl());
  url.pathname = `/${name}`;
  return url.href;
}

async function withServer<T>(work: (server: Pool) => Promise<T>): Promise<T> {
  const server = createDatabasePool(testServerUrl(), { maxConnections: 2 });
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}
