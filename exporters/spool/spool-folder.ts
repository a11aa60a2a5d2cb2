import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbandonedLockFile, tryFileLock, type HeldLock } from '#processes/file-lock';
import { listSegments, removeSegment } from './segments/segment-files.ts';

const OWNER = 'owner';
/** Suffix of a quarantined folder, in which no record can be read; it is kept for inspection by a person. */
export const UNREADABLE = '.unreadable';

/** A folder of records that this process holds the lock of. */
export interface SpoolFolder {
  readonly directory: string;
  readonly lock: HeldLock;
}

/**
 * Locks a folder below the root and creates it if it is missing; null when a living process holds the lock.
 *
 * @example
 * ```ts
 * import { claimFolder } from 'barograph';
 *
 * const folder = await claimFolder('.barograph/spool', 'worker-1');
 * if (folder === null) throw new Error('Another process records into worker-1.');
 * ```
 */
export async function claimFolder(root: string, name: string): Promise<SpoolFolder | null> {
  const directory = join(root, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = await tryFileLock(join(directory, OWNER));
  return lock === null ? null : { directory, lock };
}

/** The names of all folders below the root. */
export async function listFolders(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** Removes the files of a spool and then the folder, unless it holds foreign files. */
export async function removeFolder({ directory, lock }: SpoolFolder): Promise<void> {
  for (const { number } of listSegments(directory)) removeSegment(directory, number);
  const left = (await readdir(directory)).filter((name) => isAbandonedLockFile(OWNER, name));
  for (const name of ['cursor', 'books', ...left]) await rm(join(directory, name), { force: true });
  await lock.release();
  await rmdir(directory).catch(() => undefined);
}

/** Renames a folder without readable records, so that it is not adopted again. @returns its new path */
export async function quarantine({ directory, lock }: SpoolFolder): Promise<string> {
  await lock.release();
  await rename(directory, `${directory}${UNREADABLE}`);
  return `${directory}${UNREADABLE}`;
}
