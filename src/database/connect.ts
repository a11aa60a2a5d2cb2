import pg from 'pg';
import type { Pool, PoolConfig } from 'pg';

import { CategorizedError } from '#semconv/error-categories';
import { toConnectionError } from './connection-error.ts';
import { describeConnectionTarget, parseConnectionTarget } from './connection-target.ts';
import { createTypeParsers } from './type-parsers.ts';

/** The oldest server that knows `nulls not distinct`, on which our keys rest. */
const OLDEST_SERVER_MAJOR = 15;

/** How to connect. */
export interface ConnectOptions {
  /** Shown by `pg_stat_activity`; distinguishes the programs that share a server. */
  readonly applicationName?: string;
  /** Connections held at most. */
  readonly maxConnections?: number;
  /** How long to wait for a connection, milliseconds. */
  readonly connectTimeoutMillis?: number;
  /** After how long the server breaks a statement off, milliseconds; 0 is never. */
  readonly statementTimeoutMillis?: number;
  /** Hears of a connection that broke while nobody used it. The pool replaces it by itself. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * A pool of connections whose sessions think in UTC.
 *
 * Opens nothing yet. The URL's parameters for TLS (`sslmode`, `sslrootcert`, …), `application_name` and `options`
 * is respected. An idle connection that breaks never ends the process.
 *
 * @throws TypeError when the connection string is no PostgreSQL URL.
 */
export function createDatabasePool(connectionString: string, options: ConnectOptions = {}): Pool {
  parseConnectionTarget(connectionString);
  const config: PoolConfig = {
    connectionString: withUtcSessions(connectionString),
    application_name: options.applicationName ?? 'barograph',
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMillis ?? 10_000,
    statement_timeout: options.statementTimeoutMillis ?? 60_000,
    keepAlive: true,
    types: createTypeParsers(),
  };
  const pool = new pg.Pool(config);
  pool.on('error', (error) => options.onIdleError?.(error));
  return pool;
}

/**
 * A pool that is known to work: one connection was made and the server is new enough.
 *
 * @throws CategorizedError naming host, port and database, what happened and what to do; never a password.
 *
 * @example
 * ```ts
 * import { connectDatabase } from 'barograph';
 *
 * const pool = await connectDatabase('postgres://user@localhost:5432/weather');
 * await pool.end();
 * ```
 */
export async function connectDatabase(connectionString: string, options: ConnectOptions = {}): Promise<Pool> {
  const pool = createDatabasePool(connectionString, options);
  try {
    requireServerVersion(await readServerVersion(pool), describeConnectionTarget(connectionString));
    return pool;
  } catch (error) {
    await pool.end();
    throw toConnectionError(error, connectionString);
  }
}

/** The server's version as PostgreSQL numbers it: 180004 is 18.4. */
async function readServerVersion(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  return rows[0]?.version ?? 0;
}

/** @throws CategorizedError when the server is older than {@link OLDEST_SERVER_MAJOR}. */
export function requireServerVersion(version: number, target: string): void {
  const major = Math.floor(version / 10_000);
  if (major >= OLDEST_SERVER_MAJOR) return;
  throw new CategorizedError(
    'validator_internal',
    `The server at ${target} is PostgreSQL ${major}.${version % 10_000}. ` +
      `Allowed: ${OLDEST_SERVER_MAJOR} or newer. Upgrade the server, or name another in DATABASE_URL.`,
  );
}

/** Adds `TimeZone=UTC` to the session options of the URL, which go first so that ours wins. */
function withUtcSessions(connectionString: string): string {
  const url = new URL(connectionString);
  const given = url.searchParams.get('options');
  url.searchParams.set('options', `${given === null ? '' : `${given} `}-c TimeZone=UTC`);
  return url.href;
}
