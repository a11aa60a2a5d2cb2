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

/** How often the state of the server is looked at, milliseconds. */
const POLL_MILLIS = 10;
/** How long a start (with crash recovery) or an orderly stop may take, milliseconds. */
const PATIENCE_MILLIS = 60_000;
/** A log longer than this, bytes, is emptied at the next start. */
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * Settings of every embedded server. Only the loopback is open and only with the password; statements and details,
 * which may quote values, stay out of its log.
 */
const BASE_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** The port was snatched, or children of a killed server hold its memory a moment longer. */
const PASSING_COMPLAINT = /TCP\/IP sockets|shared memory|lock file/;

/** What a start needs. */
export interface StartOptions {
  readonly postgres: string;
  readonly user: OsUser | undefined;
  readonly port: number;
  readonly logFile: string;
  /** Further settings by name; they win over ours. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * The server that runs on the cluster, once it is ready; undefined when none runs.
 *
 * A server that starts or stops is waited for, the file of a dead one is removed.
 */
export async function findPostmaster(clusterDirectory: string): Promise<PostmasterFile | undefined> {
  const deadline = performance.now() + PATIENCE_MILLIS;
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
    `The embedded PostgreSQL has been starting or stopping for ${PATIENCE_MILLIS} ms. See its log in the data directory.`,
    { retryable: true },
  );
}

/**
 * Starts a server and waits until it accepts connections.
 *
 * It gets a session of its own: Ctrl-C in the terminal reaches us and not the server, which must outlive our flush.
 *
 * @throws CategorizedError with the last complaint of the server's log.
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
    await waitUntilReady(child, clusterDirectory, async () => readComplaint(options.logFile, offset));
    child.unref();
  } finally {
    await log.close();
  }
}

async function waitUntilReady(
  child: ChildProcess,
  clusterDirectory: string,
  complaint: () => Promise<string>,
): Promise<void> {
  let spawnError: Error | undefined;
  child.once('error', (error) => (spawnError = error));
  const deadline = performance.now() + PATIENCE_MILLIS;
  while (performance.now() < deadline) {
    await delay(POLL_MILLIS);
    if (spawnError !== undefined) throw cannotRunError(spawnError);
    if (child.exitCode !== null || child.signalCode !== null) throw startError(await complaint());
    const file = await readPostmasterFile(clusterDirectory);
    if (file?.pid === child.pid && file?.status === 'ready') return;
  }
  child.kill('SIGQUIT');
  throw startError('it was not ready in time');
}

/**
 * Stops the server in order: sessions are ended, transactions rolled back, everything is written.
 *
 * One that does not obey in time is stopped at once, and recovers at its next start.
 */
export async function stopPostmaster(clusterDirectory: string): Promise<void> {
  const file = await readPostmasterFile(clusterDirectory);
  if (file === undefined || !(await isPostmasterAlive(file, clusterDirectory))) return;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    signalServer(file.pid, signal);
    if (await isGone(clusterDirectory, file.pid)) return;
  }
}

/** The server may have ended by itself meanwhile. */
function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The server removes its file last; a killed one leaves it, so the process is looked at too. */
async function isGone(clusterDirectory: string, pid: number): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MILLIS / 2;
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

/** The last grave line of the log since the offset, bytes, without its time and process number. */
async function readComplaint(path: string, offset: number): Promise<string> {
  const lines = (await readFile(path)).subarray(offset).toString('utf8').split('\n');
  const grave = lines.filter((line) => /FATAL|PANIC|error/i.test(line)).at(-1) ?? lines.at(-2) ?? '';
  return grave.replace(/^.*?(FATAL|PANIC|LOG):\s+/, '');
}

function startError(complaint: string): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `The embedded PostgreSQL did not start: ${complaint}. See its log in the data directory, or set DATABASE_URL.`,
    { retryable: PASSING_COMPLAINT.test(complaint) },
  );
}
