import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { acquireAll } from '#lifecycle/resource-stack';
import { createDatabasePool } from '#database/connect';
import { startEmbeddedPostgres } from '#database/embedded';
import { findServerAccount } from '#database/embedded/os-user';
import { findTemporaryPlace } from '#database/embedded/shared-place';
import { migrate } from '#database/migrate';

/** A migrated database for exclusive use. */
export interface BenchDatabase {
  readonly connectionString: string;
  readonly pool: Pool;
}

/** A PostgreSQL server with databases for measuring. */
export interface BenchServer {
  createDatabase(): Promise<BenchDatabase>;
  /** Drops the databases, and stops the server if it was started here. */
  close(): Promise<void>;
}

/**
 * The server that DATABASE_URL names, or an embedded one with the settings of the product (`fsync` and
 * `synchronous_commit` are on), which is removed afterwards. Every database is new: the one that DATABASE_URL names is
 * not touched, but its user must be allowed to create databases.
 */
export function openBenchServer(): Promise<BenchServer> {
  return acquireAll(async ({ add, close }) => {
    const given = process.env['DATABASE_URL'] ?? '';
    const url = given === '' ? await startServer(add) : given;
    const server = createDatabasePool(url, { maxConnections: 1, statementTimeoutMillis: 0 });
    add(() => server.end());
    const createDatabase = async (): Promise<BenchDatabase> => {
      const name = `barograph_bench_${randomBytes(4).toString('hex')}`;
      await server.query(`create database ${name}`);
      add(() => server.query(`drop database ${name} with (force)`));
      const connectionString = urlOf(url, name);
      const pool = createDatabasePool(connectionString, { statementTimeoutMillis: 0 });
      add(() => pool.end());
      await migrate(pool);
      return { connectionString, pool };
    };
    return { createDatabase, close };
  });
}

/** The folder must be searchable by the account that the server runs as. */
async function startServer(add: (close: () => Promise<unknown>) => void): Promise<string> {
  const place = await findTemporaryPlace(await findServerAccount());
  const directory = await mkdtemp(join(place, 'barograph-bench-'));
  add(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const server = await startEmbeddedPostgres(directory);
  add(() => server.stop());
  return server.connectionString;
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
