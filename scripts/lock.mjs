import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Polling interval of a waiter, milliseconds. */
const POLL_MILLIS = 50;

/**
 * Runs the work under an exclusive lock file of this checkout.
 *
 * Waits as long as the holder runs; the lock of a dead process is taken over. Synchronous, because the scripts that use
 * it have nothing else to do. (The same protocol as src/processes/file-lock.ts, which needs a build.)
 *
 * @template T
 * @param {string} path
 * @param {() => T} work
 * @returns {T}
 */
export function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  const token = `${process.pid} ${randomUUID()}`;
  while (!tryLock(path, token)) {
    removeDeadLock(path);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MILLIS);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path, token) {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, token, { flag: 'wx' });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Only the process that creates the marker of this token may remove the lock, so that a fresh lock is never removed. */
function removeDeadLock(path) {
  const token = readToken(path);
  const pid = Number.parseInt(token, 10);
  if (token === '' || (pid !== process.pid && isRunning(pid))) return;
  const marker = `${path}.${token.split(' ')[1]}.dead`;
  try {
    closeSync(openSync(marker, 'wx'));
  } catch {
    return;
  }
  try {
    if (readToken(path) === token) rmSync(path, { force: true });
  } finally {
    rmSync(marker, { force: true });
  }
}

function readToken(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
