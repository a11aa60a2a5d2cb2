import { Socket } from 'node:net';
import pg from 'pg';
import type { Pool, PoolConfig } from 'pg';

import { CategorizedError } from '#semconv/error-categories';
import { toConnectionError } from './connection-error.ts';
import { describeConnectionTarget, parseConnectionTarget } from './connection-target.ts';
import { limitSilence } from './transaction.ts';
import { createTypeParsers } from './type-parsers.ts';

/** The oldest server with `nulls not distinct`, which our unique keys need. */
const OLDEST_SERVER_MAJOR = 15;

/** Silence after which the kernel asks whether the server is still there; it gives up 10 s later. Its own limit is 2 hours. */
const KEEP_ALIVE_MILLIS = 10_000;

/** Options of a connection pool. */
export interface ConnectOptions {
  /** Shown by `pg_stat_activity`; identifies the program among those that share a server. */
  readonly applicationName?: string;
  /** Connections held at most. */
  readonly maxConnections?: number;
  /** Timeout of a connection attempt, milliseconds. */
  readonly connectTimeoutMillis?: number;
  /** Timeout after which the server cancels a statement, milliseconds; 0 is none. */
  readonly statementTimeoutMillis?: number;
  /**
   * Breaks a connection off whose server is silent for so long, milliseconds; none unless given. Longer than the statement
   * timeout, after which a server that lives answers. Long transactions are exempt.
   */
  readonly silenceTimeoutMillis?: number;
  /** Breaks every connection off when it aborts, those that are being opened included. */
  readonly signal?: AbortSignal;
  /** Settings of a pool of the program, which take the place of the connection string. */
  readonly settings?: PoolConfig;
  /** Called when an idle connection fails. The pool replaces the connection by itself. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * Creates a connection pool whose sessions have the time zone UTC.
 *
 * Connects lazily. The URL's parameters for TLS (`sslmode`, `sslrootcert`, …), `application_name` and `options` apply.
 * A failing idle connection never terminates the process.
 *
 * @throws TypeError when the connection string is no PostgreSQL URL.
 */
export function createDatabasePool(connectionString: string, options: ConnectOptions = {}): Pool {
  parseConnectionTarget(connectionString);
  const config: PoolConfig = {
    ...(options.settings ?? { connectionString: withUtcSessions(connectionString) }),
    application_name: options.applicationName ?? 'barograph',
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMillis ?? 10_000,
    statement_timeout: options.statementTimeoutMillis ?? 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MILLIS,
    types: createTypeParsers(),
    ...silenceConfig(options),
  };
  const pool = new pg.Pool(config);
  pool.on('error', (error) => {
    // A connection of a pool that is being closed may be ended from the other side first.
    if (options.signal?.aborted !== true && !pool.ending) options.onIdleError?.(error);
  });
  if (options.silenceTimeoutMillis !== undefined) breakOffSilent(pool, options.silenceTimeoutMillis);
  return pool;
}

/** The server ends a transaction, too, whose client is silent for so long: its locks would hold up the retry. */
function silenceConfig({ silenceTimeoutMillis, signal }: ConnectOptions): PoolConfig {
  return {
    ...(silenceTimeoutMillis === undefined
      ? {}
      : { idle_in_transaction_session_timeout: silenceTimeoutMillis }),
    ...(signal === undefined ? {} : { stream: () => openSocket(signal) }),
  };
}

/**
 * A socket that lives no longer than the signal. Destroyed in the next tick where that has aborted before, since `connect`
 * revives a destroyed one. The `signal` of a `Socket` itself keeps every socket that was ever closed.
 */
function openSocket(signal: AbortSignal): Socket {
  const socket = new Socket();
  const breakOff = (): void => void socket.destroy(new Error('the database is closed'));
  if (signal.aborted) process.nextTick(breakOff);
  else {
    signal.addEventListener('abort', breakOff, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', breakOff));
  }
  return socket;
}

function breakOffSilent(pool: Pool, millis: number): void {
  pool.on('connect', ({ connection: { stream } }) => {
    stream.on('timeout', () => {
      const error = new Error(`the database did not answer within ${millis} ms`);
      stream.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    });
  });
  pool.on('acquire', (client) => limitSilence(client, millis));
}

/**
 * Creates a pool and verifies it: connects once and checks the server version.
 *
 * @throws CategorizedError naming host, port and database, the problem and the remedy; never a password.
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

/** How a pool of the program connects, so that another one can do the same; its target as a URL without a password. */
export function settingsOf({ options }: Pool): { connectionString: string; settings: PoolConfig } {
  // The pool hides its secrets from enumeration.
  const secrets = { password: options.password, ssl: options.ssl };
  const given = Object.fromEntries(
    Object.entries({ ...options, ...secrets }).filter(([, value]) => value !== undefined),
  );
  const { connectionString = '', ...others } = given as PoolConfig;
  const utc = [others.options, '-c TimeZone=UTC'].filter((part) => part !== undefined).join(' ');
  const settings: PoolConfig =
    connectionString === ''
      ? { ...others, options: utc }
      : { ...others, connectionString: withUtcSessions(connectionString) };
  const { user = '', host, port, database = '' } = new pg.Client(options);
  const url = new URL('postgres://localhost');
  url.username = user;
  url.pathname = encodeURIComponent(database);
  url.searchParams.set('host', host);
  url.searchParams.set('port', String(port));
  return { connectionString: url.href, settings };
}

/** The server version in PostgreSQL's numbering: 180004 is 18.4. */
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

/** Appends `TimeZone=UTC` to the session options of the URL: the last setting wins. */
function withUtcSessions(connectionString: string): string {
  const url = new URL(connectionString);
  const urlOptions = url.searchParams.get('options');
  url.searchParams.set('options', `${urlOptions === null ? '' : `${urlOptions} `}-c TimeZone=UTC`);
  return url.href;
}
