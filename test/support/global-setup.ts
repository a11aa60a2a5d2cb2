import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { createDatabasePool } from '#database/connect';
import { CategorizedError } from '#semconv/error-categories';
import { startEmbeddedPostgres } from '#database/embedded';
import { findServerAccount } from '#database/embedded/os-user';
import { identifyOwnProcess, isAlive } from '#processes/process-identity';
import { findTemporaryPlace } from '#database/embedded/shared-place';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the PostgreSQL server of this run listens; a URL of a superuser. */
    databaseServerUrl: string;
    /** Begins the name of every database of this run. */
    databasePrefix: string;
    /** Where the processes of this run keep their records. */
    dataDirectory: string;
  }
}

/** Speed instead of durability: a test server has nothing to lose. */
const TEST_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_connections: '300',
  shared_buffers: '64MB',
};

/**
 * Gives the run one PostgreSQL server, shared by all its workers and by other runs of this user at the same time.
 *
 * `BAROGRAPH_TEST_DATABASE_URL` names a server of one's own instead; its user must be allowed to create databases.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prefix = `test_${identifyOwnProcess().replace('-', '_')}_`;
  const own = process.env['BAROGRAPH_TEST_DATABASE_URL'] ?? '';
  const server =
    own === '' ? await startTestServer() : { connectionString: own, stop: async () => undefined };
  if (own === '') await dropDatabases(server.connectionString, isOfDeadRun);
  project.provide('databaseServerUrl', server.connectionString);
  project.provide('databasePrefix', prefix);
  const dataDirectory = await mkdtemp(join(tmpdir(), 'barograph-test-data-'));
  project.provide('dataDirectory', dataDirectory);
  return async () => {
    await dropDatabases(server.connectionString, (name) => name.startsWith(prefix));
    await server.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  };
}

/** One fixed folder for each user: a run that was killed leaves a server that the next one adopts. */
async function startTestServer(): ReturnType<typeof startEmbeddedPostgres> {
  const place = await findTemporaryPlace(await findServerAccount());
  const directory = join(place, `barograph-test-postgres-${process.getuid?.() ?? 0}`);
  try {
    return await startEmbeddedPostgres(directory, { settings: TEST_SETTINGS });
  } catch (error) {
    if (!(error instanceof CategorizedError) || error.retryable) throw error;
    // Without fsync a crash of the machine may have broken the cluster. There is nothing in it to keep.
    await rm(directory, { recursive: true, force: true });
    return startEmbeddedPostgres(directory, { settings: TEST_SETTINGS });
  }
}

/** `test_<pid>_<start>_…` or `test_<pid>_…`, see {@link identifyOwnProcess}. */
function isOfDeadRun(name: string): boolean {
  const [, pid, start] = /^test_(\d+)_(?:(\d+)_)?/.exec(name) ?? [];
  return pid !== undefined && !isAlive(start === undefined ? pid : `${pid}-${start}`);
}

async function dropDatabases(serverUrl: string, isDropped: (name: string) => boolean): Promise<void> {
  const pool = createDatabasePool(serverUrl, { maxConnections: 1 });
  try {
    const { rows } = await pool.query<{ name: string }>(
      `select datname as name from pg_database where datname like 'test\\_%'`,
    );
    for (const { name } of rows.filter((row) => isDropped(row.name))) {
      await pool.query(`drop database if exists "${name}" with (force)`);
    }
  } finally {
    await pool.end();
  }
}
