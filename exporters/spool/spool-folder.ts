import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { holderOf, isAbandonedLockFile, tryFileLock, type HeldLock } from '#processes/file-lock';
import type { LockWatch } from '#processes/lock-watch';
import { toRanges } from './books/sequence-ranges.ts';
import type { UnreadableSegments } from './segments/segment-damage.ts';
import { listSegments, removeSegment } from './segments/segment-files.ts';
import { RESERVE } from './segments/segment-writer.ts';
import { TAIL } from './segments/tail-file.ts';
import { errorCodeOf } from './segments/error-code.ts';

/** Name of the lock file. */
export const OWNER = 'owner';
/** Suffix of a folder that was set aside, because of what in it cannot be read; nothing of it is ever deleted by a program. */
export const UNREADABLE = '.unreadable';
/** Prefix of a folder that is being made. */
const NEW = '.new-';
/** What an adopter appends to the name of a folder, with a token of its own behind it. */
const ADOPTING = /\.adopting-[0-9a-f]{8}$/;

/** What the folder of rescued records has behind the id under which their process went on. */
const RESCUED = /\.rescued-[0-9a-f]{8}$/;

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
export async function claimFolder(
  root: string,
  name: string,
  watch?: LockWatch,
): Promise<SpoolFolder | null> {
  const directory = join(root, name);
  const made = existsSync(directory) ? null : await makeFolder(root, directory);
  return made ?? lockFolder(directory, watch);
}

/** A folder appears with the lock in it: without one it would be taken for the folder of a dead process. */
async function makeFolder(root: string, directory: string): Promise<SpoolFolder | null> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const draft = await mkdtemp(join(root, NEW));
  try {
    const lock = await tryFileLock(join(draft, OWNER));
    if (lock === null) return null;
    await rename(draft, directory);
    lock.moveTo(join(directory, OWNER));
    return { directory, lock };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process has made it meanwhile.
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

async function lockFolder(directory: string, watch?: LockWatch): Promise<SpoolFolder | null> {
  const lock = await tryFileLock(join(directory, OWNER), watch);
  return lock === null ? null : { directory, lock };
}

/** On a full disk there is no room for a lock: the reserve of a folder whose owner is dead gives it. */
async function claimOnAnyDisk(root: string, name: string, watch?: LockWatch): Promise<SpoolFolder | null> {
  try {
    return await lockFolder(join(root, name), watch);
  } catch (error) {
    const path = join(root, name, OWNER);
    const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    if (!isFull || ['living', 'unknown'].includes(await holderOf(path, watch))) throw error;
    await rm(join(root, name, RESERVE), { force: true });
    return lockFolder(join(root, name), watch);
  }
}

/**
 * Claims the folder of a dead process for adoption; null when its owner lives, or may live as far as `watch` has seen.
 *
 * The folder is renamed before anything in it is read: an owner that was alive after all finds nothing at its old path and
 * can neither add to what is read nor remove it. A folder whose adopter dies is adopted again under a new token.
 */
export async function claimOrphan(
  root: string,
  name: string,
  watch?: LockWatch,
): Promise<SpoolFolder | null> {
  const folder = await claimOnAnyDisk(root, name, watch);
  if (folder === null) return null;
  const token = randomBytes(4).toString('hex');
  const directory = join(root, `${homeOf(name)}.adopting-${token}`);
  try {
    await rename(folder.directory, directory);
  } catch (error) {
    await folder.lock.release();
    throw error;
  }
  folder.lock.moveTo(join(directory, OWNER));
  return { ...folder, directory };
}

/** The path of a folder without the name of its adopter, by which people know it. */
export const homeOf = (directory: string): string => directory.replace(ADOPTING, '');

/** A new name for the folder of records that were rescued from a lost one. @param successor id under which their process goes on */
export const rescueName = (successor: string): string =>
  `${successor}.rescued-${randomBytes(4).toString('hex')}`;

/** The id under which the process of the records in a folder went on; null in a folder that was never lost. */
export function successorOf(directory: string): string | null {
  const name = basename(homeOf(directory));
  return RESCUED.test(name) ? name.replace(RESCUED, '') : null;
}

/** Ends an adoption that left something: the folder gets its own name back, unless another process has claimed it. */
export async function returnFolder({ directory, lock }: SpoolFolder): Promise<void> {
  const home = homeOf(directory);
  if (home !== directory && lock.isHeld()) {
    await rename(directory, home).then(
      () => lock.moveTo(join(home, OWNER)),
      () => undefined,
    );
  }
  await lock.release();
}

/** The names of all folders below the root; none when there is no root. @throws Error of the file system */
export async function listFolders(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return (
    entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      // Until its lock is in it nobody can tell whether its maker lives.
      .filter((name) => !name.startsWith(NEW) || existsSync(join(root, name, OWNER)))
      .sort()
  );
}

/** Removes the files of a spool and then the folder, unless it holds foreign files. */
export async function removeFolder({ directory, lock }: SpoolFolder): Promise<void> {
  for (const { number } of listSegments(directory)) removeSegment(directory, number);
  const left = (await readdir(directory)).filter((name) => isAbandonedLockFile(OWNER, name));
  for (const name of ['cursor', 'books', TAIL, RESERVE, ...left])
    await rm(join(directory, name), { force: true });
  await lock.release();
  await rmdir(directory).catch(() => rename(directory, homeOf(directory)).catch(() => undefined));
}

/**
 * Ends a folder whose readable records are all delivered: removes it. If something in it cannot be read, the segments in
 * question are set aside whole, with books and tail.
 *
 * @returns what to tell the operator; null when the folder was removed
 */
export async function retireFolder(
  folder: SpoolFolder,
  unreadable: UnreadableSegments,
): Promise<string | null> {
  const { directory } = folder;
  if (unreadable.size === 0) {
    await removeFolder(folder);
    return null;
  }
  for (const { number } of listSegments(directory))
    if (!unreadable.has(number)) removeSegment(directory, number);
  return `${await quarantine(folder, describe(unreadable))} What could be read was delivered; the rest counts as missing.`;
}

/** Segments by reason: `segments 1–3, 7 (damaged), segment 9 (unreadable: EIO)`. */
function describe(unreadable: UnreadableSegments): string {
  const byReason = new Map<string, number[]>();
  for (const [number, reason] of unreadable) byReason.set(reason, [...(byReason.get(reason) ?? []), number]);
  const parts = [...byReason].map(([reason, numbers]) => {
    const ranges = toRanges(numbers.sort((a, b) => a - b)).map(([from, to]) =>
      from === to ? `${from}` : `${from}–${to}`,
    );
    return `${numbers.length === 1 ? 'segment' : 'segments'} ${ranges.join(', ')} (${reason})`;
  });
  return parts.join(', ');
}

/**
 * Renames a folder, so that it is not adopted again. It keeps its lock until it has its new name.
 *
 * @returns what to tell the operator
 */
export async function quarantine({ directory, lock }: SpoolFolder, reason: string): Promise<string> {
  await rm(join(directory, RESERVE), { force: true });
  const place = await renameToFree(directory);
  await rm(join(place, OWNER), { force: true });
  await lock.release();
  const segments = listSegments(place);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return (
    `Records in ${place} cannot be read: ${reason}. Segments with ${bytes} bytes are kept there; ` +
    `look at them with \`barograph spools inspect ${place}\`.`
  );
}

async function renameToFree(directory: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const place = `${homeOf(directory)}${attempt === 1 ? '' : `.${attempt}`}${UNREADABLE}`;
    try {
      await rename(directory, place);
      return place;
    } catch (error) {
      const code = errorCodeOf(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  }
}
