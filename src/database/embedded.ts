import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

import { CategorizedError } from '#semconv/error-categories';
import { codeOf, toConnectionError } from './connection-error.ts';
import type { DatabaseServer } from './database-server.ts';
import { findBinaries } from './embedded/binaries.ts';
import { ensureCluster, ensureDataDirectory, SERVER_USER } from './embedded/cluster.ts';
import { withFileLock } from '#processes/file-lock';
import { findFreePort, LOOPBACK } from './embedded/free-port.ts';
import { findServerAccount, type OsUser } from './embedded/os-user.ts';
import { findPostmaster, startPostmaster, stopPostmaster } from './embedded/postmaster.ts';
import { openServerState, saveServerState, type ServerState } from './embedded/server-state.ts';
import { addServerUser, countServerUsers, removeServerUser } from './embedded/server-users.ts';

/** Attempts at a start while the port is taken or children of a killed server still exit. */
const START_ATTEMPTS = 20;
/** Delay between two attempts, milliseconds. */
const RETRY_MILLIS = 100;

/** Start options of an embedded server. A running server keeps the settings that it was started with. */
export interface EmbeddedOptions {
  /** Further settings of PostgreSQL by name, for example `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts a real PostgreSQL on a data directory, or adopts the one that runs there already.
 *
 * **Reference counting.** Every user creates a marker file in the data directory; the last living user to call `stop`
 * stops the server. A killed process stops nothing: its server continues, loses nothing, and is adopted by the next
 * start. A file lock makes start and stop mutually exclusive, so that a stopping server is never adopted.
 *
 * The server listens on the loopback only, on a port assigned by the kernel and reused by later starts where possible,
 * with a random password that only this user can read. Started by root, it runs under an unprivileged account.
 *
 * @param dataDirectory created if missing; holds the cluster, unless the server's account cannot reach it.
 * @throws CategorizedError naming the problem and the remedy.
 */
export async function startEmbeddedPostgres(
  dataDirectory: string,
  options: EmbeddedOptions = {},
): Promise<DatabaseServer> {
  const directory = resolve(dataDirectory);
  const user = await findServerAccount();
  await ensureDataDirectory(directory);
  const opened = await locked(directory, async () => {
    const state = await openServerState(directory, user);
    const url = await withRetries(async () => {
      const running = await findPostmaster(state.clusterDirectory);
      const settings = options.settings ?? {};
      const port = running?.port ?? (await startServer(directory, state, { user, settings }));
      return ensureDatabase(`postgres://${SERVER_USER}:${state.password}@${LOOPBACK}:${port}/${SERVER_USER}`);
    });
    return {
      url,
      clusterDirectory: state.clusterDirectory,
      marker: await addServerUser(usersFolder(directory)),
    };
  });
  return handleOf(directory, opened);
}

interface OpenedServer {
  readonly url: string;
  readonly clusterDirectory: string;
  readonly marker: string;
}

function handleOf(directory: string, opened: OpenedServer): DatabaseServer {
  let stopped: Promise<void> | undefined;
  const stop = async () =>
    locked(directory, async () => {
      await removeServerUser(opened.marker);
      if ((await countServerUsers(usersFolder(directory))) === 0)
        await stopPostmaster(opened.clusterDirectory);
    });
  return { connectionString: opened.url, kind: 'embedded', stop: async () => (stopped ??= stop()) };
}

async function locked<T>(directory: string, work: () => Promise<T>): Promise<T> {
  return withFileLock(join(directory, 'postgres.lock'), work);
}

function usersFolder(directory: string): string {
  return join(directory, 'users');
}

interface LaunchOptions {
  readonly user: OsUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/** Creates the cluster on the first start. @returns the port on which the server listens */
async function startServer(directory: string, state: ServerState, options: LaunchOptions): Promise<number> {
  const { user, settings } = options;
  await requireClusterIfUsed(state);
  const { initdb, postgres } = await findBinaries(user);
  const isDurable = settings['fsync'] !== 'off';
  await ensureCluster(state.clusterDirectory, { initdb, password: state.password, user, isDurable });
  const port = await findFreePort(state.port);
  const logFile = join(directory, 'postgres.log');
  await startPostmaster(state.clusterDirectory, { postgres, user, port, logFile, settings });
  if (port !== state.port) await saveServerState(directory, { ...state, port });
  return port;
}

/** Retries transient failures: a port taken by another process, a killed server that is still exiting. */
async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isPermanent = !(error instanceof CategorizedError) || !error.retryable;
      if (isPermanent || attempt === START_ATTEMPTS) throw error;
      await delay(RETRY_MILLIS);
    }
  }
}

/** A stored port proves that the cluster was used: its absence is data loss then, not a first start. */
async function requireClusterIfUsed(state: ServerState): Promise<void> {
  if (state.port === 0 || (await stat(state.clusterDirectory).catch(() => undefined))) return;
  throw new CategorizedError(
    'validator_internal',
    'The rows of the embedded PostgreSQL are gone: postgres.json names a cluster that does not exist. ' +
      'Restore it from a backup, or remove postgres.json from the data directory to begin with an empty database.',
  );
}

/** Creates our database on the first start; later it only verifies that the server is ours. @returns the URL */
async function ensureDatabase(connectionString: string): Promise<string> {
  try {
    await withClient(connectionString, async (client) => client.query('select')).catch(
      async (error: unknown) => {
        if (codeOf(error) !== '3D000') throw error;
        const maintenance = new URL(connectionString);
        maintenance.pathname = '/postgres';
        await withClient(maintenance.href, async (client) => client.query(`create database ${SERVER_USER}`));
      },
    );
    return connectionString;
  } catch (error) {
    throw toConnectionError(error, connectionString);
  }
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  // A lost connection is reported here as well as by the failing query; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
