import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { CategorizedError } from '#semconv/error-categories';
import type { OsUser } from './os-user.ts';

/** The superuser of an embedded server and the name of its database. */
export const SERVER_USER = 'barograph';

/** Options of a new cluster. */
export interface ClusterOptions {
  readonly initdb: string;
  readonly password: string;
  readonly user: OsUser | undefined;
  /** Whether initdb syncs the new files to disk. */
  readonly isDurable: boolean;
}

/**
 * Creates the cluster (PostgreSQL's data directory) unless it exists. Idempotent.
 *
 * Atomic: initdb runs in a temporary directory that is renamed, so that a killed first start is repeated from the
 * beginning. UTF-8 encoding, and a collation that does not depend on the machine.
 *
 * @throws CategorizedError with the error output of initdb.
 */
export async function ensureCluster(clusterDirectory: string, options: ClusterOptions): Promise<void> {
  if (await exists(clusterDirectory)) return;
  const temporaryPath = `${clusterDirectory}.new`;
  const passwordFile = `${clusterDirectory}.password`;
  await rm(temporaryPath, { recursive: true, force: true });
  await mkdir(temporaryPath, { recursive: true, mode: 0o700 });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, options.password, { mode: 0o600, flag: 'wx' });
  try {
    await chownAll(options.user, [temporaryPath, passwordFile]);
    await runInitdb(temporaryPath, passwordFile, options);
    await rename(temporaryPath, clusterDirectory);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function runInitdb(
  temporaryPath: string,
  passwordFile: string,
  options: ClusterOptions,
): Promise<void> {
  const args = [
    `--pgdata=${temporaryPath}`,
    `--username=${SERVER_USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(options.isDurable ? [] : ['--no-sync']),
  ];
  const child = spawn(options.initdb, args, {
    ...serverProcessOptions(options.user),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, stderr] = await Promise.all([ended, text(child.stderr)]).catch((cause: unknown) => {
    throw cannotRunError(cause);
  });
  if (code !== 0) throw initdbError(code, stderr.replaceAll(temporaryPath, 'the data directory'));
}

/**
 * Spawn options of a PostgreSQL program: under the server's account, in a folder that it can read, and without our
 * environment, which may contain PG* settings and secrets.
 */
export function serverProcessOptions(user: OsUser | undefined): {
  cwd: string;
  env: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
} {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return { cwd: '/', env, ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }) };
}

/** A program that cannot be executed: most likely it was built for another C library. */
export function cannotRunError(cause: unknown): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `The embedded PostgreSQL cannot run here (${(cause as NodeJS.ErrnoException).code ?? 'no reason given'}). ` +
      'Allowed: Linux with glibc, macOS. Set DATABASE_URL to a PostgreSQL server instead.',
    { cause },
  );
}

function initdbError(code: number | null, stderr: string): CategorizedError {
  const reason = stderr.trim().split('\n').slice(0, 3).join(' ');
  return new CategorizedError(
    'validator_internal',
    `PostgreSQL could not make its data directory (initdb ended with ${String(code)}): ${reason} ` +
      'Make room or give write access there, or set DATABASE_URL.',
  );
}

async function chownAll(user: OsUser | undefined, paths: readonly string[]): Promise<void> {
  if (user === undefined) return;
  await Promise.all(paths.map((path) => chown(path, user.uid, user.gid)));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Creates the folder of a cluster and its state files; other users may search it but not list it. */
export async function ensureDataDirectory(dataDirectory: string): Promise<void> {
  const made = await mkdir(dataDirectory, { recursive: true, mode: 0o711 });
  if (made !== undefined) await chmod(dataDirectory, 0o711);
}
