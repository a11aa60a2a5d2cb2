import { createHash, randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { CategorizedError } from '#semconv/error-categories';
import { identifyOwnProcess, isAlive } from './process-identity.ts';

/** Waiting for a lock. */
export interface FileLockOptions {
  /** How long to wait for the holder, milliseconds. */
  readonly timeoutMillis?: number;
  /** Interval of the attempts, milliseconds. */
  readonly pollMillis?: number;
}

/** A lock that is held until it is released, or until its process dies. */
export interface HeldLock {
  /**
   * Renews the lease: shows processes of other pid namespaces that the holder is alive. To be called more often than
   * every `FOREIGN_TIMEOUT_MILLIS`.
   *
   * @returns whether the lock is still held; a holder that was late may have lost it
   */
  touch(): Promise<boolean>;
  release(): Promise<void>;
}

/** Lease of a holder in another container or on another machine: without a `touch` for this long it counts as dead. */
export const FOREIGN_TIMEOUT_MILLIS = 120_000;

/**
 * Runs work under a lock that excludes the other processes of this machine.
 *
 * The lock file names its holder, so that the lock of a killed process is taken over at once.
 *
 * @throws CategorizedError `lock_busy` when a live holder keeps it longer than the time-out
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

/** Acquires the lock, also from a dead holder; null when a live process holds it. */
export async function tryFileLock(path: string): Promise<HeldLock | null> {
  const token = `${identifyOwnProcess()} ${randomUUID()} ${ownPidNamespace()}`;
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

/** Whether a lock is held, and by whom; takes no lock. */
export async function holderOf(path: string): Promise<'none' | 'living' | 'dead'> {
  const token = await readToken(path);
  if (token === undefined) return 'none';
  return (await isHolderAlive(path, token)) ? 'living' : 'dead';
}

/** Whether a file is the leftover of a process that died while acquiring the lock `lockName`. */
export function isAbandonedLockFile(lockName: string, name: string): boolean {
  if (!name.startsWith(`${lockName}.`)) return false;
  return /^(\.dead-[0-9a-f]{12})*(\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/.test(
    name.slice(lockName.length),
  );
}

/** Host and pid namespace, within which a pid is unique: every container has its own pids. */
function ownPidNamespace(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** Atomic create: hard-linking a complete file makes the lock appear with its token or not at all. */
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
 * Removes the lock of a dead holder, and never one that another process acquired meanwhile.
 *
 * Only the process that holds the marker of this token may remove it, after reading the token again. The marker is a
 * lock too, since its holder may be killed as well.
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
  const [identity = '', , pidNamespace = ownPidNamespace()] = token.split(' ');
  if (pidNamespace === ownPidNamespace()) return isAlive(identity);
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
