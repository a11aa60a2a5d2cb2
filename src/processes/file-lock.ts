import { createHash, randomUUID } from 'node:crypto';
import { link, open, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { CategorizedError } from '../semconv/error-categories.ts';
import { identifyOwnProcess, isAlive } from './process-identity.ts';

/** How patient a lock is. */
export interface FileLockOptions {
  /** How long to wait for the holder, milliseconds. */
  readonly timeoutMillis?: number;
  /** How often to look, milliseconds. */
  readonly pollMillis?: number;
}

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
  const token = `${identifyOwnProcess()} ${randomUUID()}`;
  const { timeoutMillis = 60_000, pollMillis = 10 } = options;
  const deadline = performance.now() + timeoutMillis;
  while (!(await tryLock(path, token))) {
    if (performance.now() > deadline) throw busyError(path, timeoutMillis);
    await removeDeadLock(path);
    await delay(pollMillis);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** Hard-linking a finished file makes the lock appear with its token or not at all. */
async function tryLock(path: string, token: string): Promise<boolean> {
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
 * Only the one process that holds the marker of this very token may remove it, and it looks once more before.
 */
async function removeDeadLock(path: string): Promise<void> {
  const token = await readToken(path);
  if (token === undefined || isAlive(token.split(' ')[0] ?? '')) return;
  const marker = `${path}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
  const handle = await open(marker, 'wx').catch(() => undefined);
  if (handle === undefined) return;
  try {
    if ((await readToken(path)) === token) await rm(path, { force: true });
  } finally {
    await handle.close();
    await rm(marker, { force: true });
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
