import { lstat, mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';

import { CategorizedError } from '#semconv/error-categories';
import type { OsUser } from './os-user.ts';

/**
 * Whether the account can reach this folder: it needs the search bit (x) of every folder from the root on.
 *
 * A folder that does not exist yet is assumed to be created searchable.
 */
export async function isTraversable(folder: string, user: OsUser): Promise<boolean> {
  const path = resolve(folder);
  const status = await stat(path).catch(() => undefined);
  if (status !== undefined && !hasSearchBit(status, user)) return false;
  return dirname(path) === path || isTraversable(dirname(path), user);
}

function hasSearchBit(status: { mode: number; uid: number; gid: number }, user: OsUser): boolean {
  if (status.uid === user.uid) return (status.mode & 0o100) !== 0;
  if (status.gid === user.gid) return (status.mode & 0o010) !== 0;
  return (status.mode & 0o001) !== 0;
}

/** A folder for files that can be recreated at any time: the first temporary folder that the account can reach. */
export async function findTemporaryPlace(user: OsUser | undefined): Promise<string> {
  if (user === undefined) return tmpdir();
  for (const folder of [tmpdir(), '/var/tmp', '/tmp']) {
    if (await isTraversable(folder, user)) return folder;
  }
  throw unreachableError(user);
}

/** A folder for root's data that must survive a reboot, created if missing. */
export async function findLastingPlace(user: OsUser): Promise<string> {
  for (const folder of ['/var/lib/barograph', '/var/tmp/barograph']) {
    const isMade = await mkdir(folder, { recursive: true, mode: 0o711 }).then(
      () => true,
      () => false,
    );
    if (isMade && (await isTraversable(folder, user)) && (await isPrivatelyOwned(folder))) return folder;
  }
  throw unreachableError(user);
}

/** Whether only this process's user can have written there: owned by it, not a symlink, not writable by others. */
export async function isPrivatelyOwned(folder: string): Promise<boolean> {
  const status = await lstat(folder);
  return status.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o022) === 0;
}

function unreachableError(user: OsUser): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `PostgreSQL runs as ${user.name} here, and no folder was found that this account can reach. ` +
      'Allow it to search the data directory (chmod o+x on its parents), or set DATABASE_URL.',
  );
}
