import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { CategorizedError } from '#semconv/error-categories';
import { LockWatch, ownPlace } from './lock-watch.ts';
import { identifyOwnProcess, identifyOwnThread } from './process-identity.ts';

/** Waiting for a lock. */
export interface FileLockOptions {
  /** How long to wait for the holder, milliseconds. */
  readonly timeoutMillis?: number;
  /** Interval of the attempts, milliseconds. */
  readonly pollMillis?: number;
}

/** A lock that is held until it is released, or until its process or thread dies. */
export interface HeldLock {
  /** Whether the file is still ours: somebody may have taken the holder for dead, or removed it. */
  isHeld(): boolean;
  /**
   * Heartbeat: shows those who cannot look the holder up that it is alive. To be called much more often than every
   * `FOREIGN_SILENCE_MILLIS`.
   *
   * @returns whether the lock is still held; a holder that was late may have lost it
   */
  touch(): Promise<boolean>;
  /** Follows its file to another path, after its folder was renamed. */
  moveTo(path: string): void;
  release(): Promise<void>;
}

/** A lock around work waits less than the time-out of who waits for it, and shows a heartbeat more often. */
const WORK_SILENCE_MILLIS = 45_000;
const WORK_HEARTBEAT_MILLIS = 5000;
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
  const watch = new LockWatch(undefined, WORK_SILENCE_MILLIS);
  let held = await tryFileLock(path, watch);
  while (held === null) {
    if (performance.now() > deadline) throw busyError(path, timeoutMillis);
    await delay(pollMillis);
    held = await tryFileLock(path, watch);
  }
  const lock = held;
  const heartbeat = setInterval(() => void lock.touch().catch(() => false), WORK_HEARTBEAT_MILLIS).unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await lock.release();
  }
}

/**
 * Acquires the lock, also from a dead holder; null when a live one holds it.
 *
 * @param watch what the caller saw before; without it a holder that cannot be looked up is never taken for dead
 */
export async function tryFileLock(path: string, watch = new LockWatch()): Promise<HeldLock | null> {
  const token = [identifyOwnProcess(), randomUUID(), ownPlace(), identifyOwnThread()].join(' ');
  if (!(await linkToken(path, token))) {
    await removeDeadLock(path, watch);
    if (!(await linkToken(path, token))) return null;
  }
  return holdLock(path, token);
}

function holdLock(at: string, token: string): HeldLock {
  let path = at;
  const isHeld = (): boolean => {
    try {
      return readFileSync(path, 'utf8') === token;
    } catch (error) {
      // A file that cannot be read now, because too many others are open, is not lost.
      return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    }
  };
  return {
    isHeld,
    touch: async () => {
      if (!isHeld()) return false;
      const now = new Date();
      await utimes(path, now, now);
      return true;
    },
    moveTo: (next) => (path = next),
    release: async () => {
      if ((await readToken(path)) === token) await rm(path, { force: true });
    },
  };
}

/**
 * Whether a lock is held, and by whom, as far as `watch` has seen; takes no lock. A holder of another container or of an
 * earlier boot is `unknown` to whoever has not listened to it for long: it must be taken for a living one.
 */
export async function holderOf(
  path: string,
  watch = new LockWatch(),
): Promise<'none' | 'living' | 'dead' | 'unknown'> {
  const token = await readToken(path);
  return token === undefined ? 'none' : watch.judge(path, token);
}

/** Whether a file is the leftover of a process that died while acquiring the lock `lockName`. */
export function isAbandonedLockFile(lockName: string, name: string): boolean {
  if (!name.startsWith(`${lockName}.`)) return false;
  return /^(\.dead-[0-9a-f]{12})*(\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/.test(
    name.slice(lockName.length),
  );
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
async function removeDeadLock(path: string, watch: LockWatch): Promise<void> {
  const token = await readToken(path);
  if (token === undefined || !(await watch.isDead(path, token))) return;
  const marker = `${path}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
  const held = await tryFileLock(marker, watch);
  if (held === null) return;
  try {
    if ((await readToken(path)) === token) await rm(path, { force: true });
  } finally {
    await held.release();
  }
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
