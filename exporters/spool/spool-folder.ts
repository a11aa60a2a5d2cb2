import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbandonedLockFile, tryFileLock, type HeldLock } from '#processes/file-lock';
import { listSegments, removeSegment } from './segments/segment-files.ts';

const OWNER = 'owner';
/** Ends the name of a folder whose records nobody can read: kept for a person to look at. */
export const UNREADABLE = '.unreadable';

/** A folder of records that this process alone may touch. */
export interface SpoolFolder {
  readonly directory: string;
  readonly lock: HeldLock;
}

/**
 * Claims a spool folder below `root` with a file lock, and creates it when it is missing.
 *
 * @returns null when a live process holds the folder
 * @throws Error of the file system when the folder cannot be written
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

/** Removes a folder with the files that a spool makes; one that holds anything else stays. */
export async function removeFolder({ directory, lock }: SpoolFolder): Promise<void> {
  for (const { number } of listSegments(directory)) removeSegment(directory, number);
  const left = (await readdir(directory)).filter((name) => isAbandonedLockFile(OWNER, name));
  for (const name of ['cursor', 'books', ...left]) await rm(join(directory, name), { force: true });
  await lock.release();
  await rmdir(directory).catch(() => undefined);
}

/** Puts a folder aside whose records nobody can read. @returns where it lies now */
export async function quarantine({ directory, lock }: SpoolFolder): Promise<string> {
  await lock.release();
  await rename(directory, `${directory}${UNREADABLE}`);
  return `${directory}${UNREADABLE}`;
}
