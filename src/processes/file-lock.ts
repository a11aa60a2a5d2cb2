import { createHash, randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { CategorizedError } from '#semconv/error-categories';
import { identifyOwnProcess, isAlive } from './process-identity.ts';

/** How patient a lock is. */
export interface FileLockOptions {
  /** How long to wait for the holder, milliseconds. */
  readonly timeoutMillis?: number;
  /** How often to look, milliseconds. */
  readonly pollMillis?: number;
}

/** A lock that is held until it is released, or until its process dies. */
export interface HeldLock {
  /**
   * Shows that the holder lives, to those who cannot see its process: within `FOREIGN_TIMEOUT_MILLIS` again and again.
   *
   * @returns whether the lock is still held; who was silent for too long may have lost it
   */
  touch(): Promise<boolean>;
  release(): Promise<void>;
}

/** A holder in another container or on another machine is believed dead when its lock was not touched for so long. */
export const FOREIGN_TIMEOUT_MILLIS = 120_000;

/**
 * Does the work while holding a lock that excludes the other processes of this machine.
 *
 * The lock is a file that names its holder, so that the lock of a killed process is taken over at once.
 *
 * @throws CategorizedError `lock_busy` when a living holder keeps it longer than the time-out.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  const { timeoutMillis = 60_000, pollMillis = 10 } = options;
  const deadline = performance.now() + timeoutMillis;
  let held = await tryFileLock(path);
  while (held === null) {
    if (performance.now() > deadline) throw busyError(path, timeoutMillis);
    await delay(pollMillis);
    held = await tryFileLock(path);
  }
  try {
    return await work();
  } finally {
    await held.release();
  }
}

/** Takes the lock, also from a holder that is dead; null when somebody alive holds it. */
export async function tryFileLock(path: string): Promise<HeldLock | null> {
  const token = `${identifyOwnProcess()} ${randomUUID()} ${ownPlace()}`;
  if (!(await linkToken(path, token))) {
    await removeDeadLock(path);
    if (!(await linkToken(path, token))) return null;
  }
  return {
    touch: async () => {
      if ((await readToken(path)) !== token) return false;
      const now = new Date();
      await utimes(path, now, now);
      return true;
    },
    release: async () => {
      if ((await readToken(path)) === token) await rm(path, { force: true });
    },
  };
}

/** Whether a file of this name was left by a process that died while it took the lock of that name. */
export function isLeftByTaker(lockName: string, name: string): boolean {
  if (!name.startsWith(`${lockName}.`)) return false;
  return /^(\.dead-[0-9a-f]{12})*(\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/.test(
    name.slice(lockName.length),
  );
}

/** Where process numbers mean the same: a container has numbers of its own. */
function ownPlace(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** Hard-linking a finished file makes the lock appear with its token or not at all. */
async function linkToken(path: string, token: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, token, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Removes the lock of a dead holder, and never the one that somebody else took meanwhile.
 *
 * Only the one process that holds the marker of this very token may remove it, and it looks once more before. The marker
 * is a lock itself: who holds it may be killed as well.
 */
async function removeDeadLock(path: string): Promise<void> {
  const token = await readToken(path);
  if (token === undefined || (await isHolderAlive(path, token))) return;
  const marker = `${path}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
  const held = await tryFileLock(marker);
  if (held === null) return;
  try {
    if ((await readToken(path)) === token) await rm(path, { force: true });
  } finally {
    await held.release();
  }
}

async function isHolderAlive(path: string, token: string): Promise<boolean> {
  const [identity = '', , place = ownPlace()] = token.split(' ');
  if (place === ownPlace()) return isAlive(identity);
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs < FOREIGN_TIMEOUT_MILLIS;
}

async function readToken(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function busyError(path: string, timeoutMillis: number): CategorizedError {
  return new CategorizedError(
    'lock_busy',
    `Another process has held ${basename(path)} for ${timeoutMillis} ms. Allowed: a few seconds. ` +
      'End that process, or remove the file if it hangs.',
    { retryable: true },
  );
}
