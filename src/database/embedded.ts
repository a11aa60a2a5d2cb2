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

/** How often a start is tried when the port was snatched or a killed server's children still die. */
const START_ATTEMPTS = 20;
/** The pause between two tries, milliseconds. */
const RETRY_MILLIS = 100;

/** How an embedded server is started. A server that runs already keeps the settings it was started with. */
export interface EmbeddedOptions {
  /** Further settings of PostgreSQL by name, for example `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts a real PostgreSQL on a data directory, or adopts the one that runs there already.
 *
 * **Who stops it.** Every user notes itself in the data directory, and the last living one to call `stop` stops the
 * server. A process that is killed stops nothing: its server goes on serving, loses nothing, and is adopted by the
 * next start. Starts and stops exclude each other by a lock, so nobody adopts a server that is about to stop.
 *
 * The server listens on the loopback alone, on a port that the kernel chose and that is kept between starts if it can
 * be, with a random password that only this user can read. As root it runs as an unprivileged account.
 *
 * @param dataDirectory made if it is missing; holds the rows, unless the account cannot reach it.
 * @throws CategorizedError saying what is in the way and what to do.
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
      note: await addServerUser(usersFolder(directory)),
    };
  });
  return handleOf(directory, opened);
}

interface OpenedServer {
  readonly url: string;
  readonly clusterDirectory: string;
  readonly note: string;
}

function handleOf(directory: string, opened: OpenedServer): DatabaseServer {
  let stopped: Promise<void> | undefined;
  const stop = async () =>
    locked(directory, async () => {
      await removeServerUser(opened.note);
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

/** Makes the cluster on the first start and gives the port on which the server listens now. */
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

/** Tries again while the failure is of the kind that passes: a snatched port, a server that was being killed. */
async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isHopeless = !(error instanceof CategorizedError) || !error.retryable;
      if (isHopeless || attempt === START_ATTEMPTS) throw error;
      await delay(RETRY_MILLIS);
    }
  }
}

/** A remembered port means that the cluster was used: then its absence is a loss, not a first start. */
async function requireClusterIfUsed(state: ServerState): Promise<void> {
  if (state.port === 0 || (await stat(state.clusterDirectory).catch(() => undefined))) return;
  throw new CategorizedError(
    'validator_internal',
    'The rows of the embedded PostgreSQL are gone: the data directory remembers a cluster that is not there. ' +
      'Restore it from a backup, or remove postgres.json from the data directory to begin with an empty database.',
  );
}

/** Makes our database on the first start; later this only proves that the server is ours. Gives the URL back. */
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
  // A server that dies later than it answered reports that here too, beside the failing query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
