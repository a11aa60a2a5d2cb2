import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { CategorizedError } from '#semconv/error-categories';
import { cannotRunError, serverProcessOptions } from './cluster.ts';
import { LOOPBACK } from './free-port.ts';
import type { OsUser } from './os-user.ts';
import {
  isPostmasterAlive,
  postmasterFilePath,
  readPostmasterFile,
  type PostmasterFile,
} from './postmaster-file.ts';

/** Poll interval of the server's state, milliseconds. */
const POLL_MILLIS = 10;
/** Timeout of a start (with crash recovery) or of a fast shutdown, milliseconds. */
const STATE_CHANGE_TIMEOUT_MILLIS = 60_000;
/** Size above which the log is truncated at the next start, bytes. */
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * Settings of every embedded server. It listens on the loopback only and requires the password; statements and error
 * details, which may contain values, are not logged.
 */
const BASE_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** Retryable start errors: the port was taken, or children of a killed server still hold its shared memory. */
const TRANSIENT_START_ERROR = /TCP\/IP sockets|shared memory|lock file/;

/** Options of a start. */
export interface StartOptions {
  readonly postgres: string;
  readonly user: OsUser | undefined;
  readonly port: number;
  readonly logFile: string;
  /** Further settings by name; they override ours. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Finds the server that runs on the cluster, once it is ready; undefined when none runs.
 *
 * Waits for a server that is starting or stopping, and removes the stale lock file of a dead one.
 */
export async function findPostmaster(clusterDirectory: string): Promise<PostmasterFile | undefined> {
  const deadline = performance.now() + STATE_CHANGE_TIMEOUT_MILLIS;
  while (performance.now() < deadline) {
    const file = await readPostmasterFile(clusterDirectory);
    if (file === undefined) return undefined;
    if (!(await isPostmasterAlive(file, clusterDirectory))) {
      await rm(postmasterFilePath(clusterDirectory), { force: true });
      return undefined;
    }
    if (file.status === 'ready') return file;
    await delay(POLL_MILLIS);
  }
  throw new CategorizedError(
    'timeout',
    `The embedded PostgreSQL has been starting or stopping for ${STATE_CHANGE_TIMEOUT_MILLIS} ms. See its log in the data directory.`,
    { retryable: true },
  );
}

/**
 * Starts a server and waits until it accepts connections.
 *
 * Detached into its own session: Ctrl-C in the terminal signals us but not the server, which must outlive our flush.
 *
 * @throws CategorizedError with the last error in the server's log.
 */
export async function startPostmaster(clusterDirectory: string, options: StartOptions): Promise<void> {
  const log = await openLog(options.logFile);
  const offset = (await log.stat()).size;
  const settings = { ...BASE_SETTINGS, port: String(options.port), ...options.settings };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(options.postgres, ['-D', clusterDirectory, ...flags], {
    ...serverProcessOptions(options.user),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  try {
    await waitUntilReady(child, clusterDirectory, async () => readLastLogError(options.logFile, offset));
    child.unref();
  } finally {
    await log.close();
  }
}

async function waitUntilReady(
  child: ChildProcess,
  clusterDirectory: string,
  reason: () => Promise<string>,
): Promise<void> {
  let spawnError: Error | undefined;
  child.once('error', (error) => (spawnError = error));
  const deadline = performance.now() + STATE_CHANGE_TIMEOUT_MILLIS;
  while (performance.now() < deadline) {
    await delay(POLL_MILLIS);
    if (spawnError !== undefined) throw cannotRunError(spawnError);
    if (child.exitCode !== null || child.signalCode !== null) throw startError(await reason());
    const file = await readPostmasterFile(clusterDirectory);
    if (file?.pid === child.pid && file?.status === 'ready') return;
  }
  child.kill('SIGQUIT');
  throw startError('it was not ready in time');
}

/**
 * Fast shutdown (SIGINT): sessions are terminated, transactions rolled back, and all data is written.
 *
 * After the timeout an immediate shutdown (SIGQUIT) follows, with crash recovery at the next start.
 */
export async function stopPostmaster(clusterDirectory: string): Promise<void> {
  const file = await readPostmasterFile(clusterDirectory);
  if (file === undefined || !(await isPostmasterAlive(file, clusterDirectory))) return;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    signalServer(file.pid, signal);
    if (await hasExited(clusterDirectory, file.pid)) return;
  }
}

/** Ignores ESRCH: the server may have exited meanwhile. */
function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The server removes its lock file last; a killed one leaves it, so the process is checked as well. */
async function hasExited(clusterDirectory: string, pid: number): Promise<boolean> {
  const deadline = performance.now() + STATE_CHANGE_TIMEOUT_MILLIS / 2;
  while (performance.now() < deadline) {
    const file = await readPostmasterFile(clusterDirectory);
    if (file?.pid !== pid || !(await isPostmasterAlive(file, clusterDirectory))) return true;
    await delay(POLL_MILLIS);
  }
  return false;
}

async function openLog(path: string): ReturnType<typeof open> {
  const size = await stat(path).then(
    (status) => status.size,
    () => 0,
  );
  if (size > LOG_LIMIT_BYTES) await truncate(path);
  return open(path, 'a', 0o600);
}

/** The last error line of the log after the byte offset, without timestamp and PID. */
async function readLastLogError(path: string, offset: number): Promise<string> {
  const lines = (await readFile(path)).subarray(offset).toString('utf8').split('\n');
  const lastError = lines.filter((line) => /FATAL|PANIC|error/i.test(line)).at(-1) ?? lines.at(-2) ?? '';
  return lastError.replace(/^.*?(FATAL|PANIC|LOG):\s+/, '');
}

function startError(reason: string): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `The embedded PostgreSQL did not start: ${reason}. See its log in the data directory, or set DATABASE_URL.`,
    { retryable: TRANSIENT_START_ERROR.test(reason) },
  );
}
