import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  FOREIGN_TIMEOUT_MILLIS,
  isAbandonedLockFile,
  tryFileLock,
  withFileLock,
  type HeldLock,
} from '#processes/file-lock';
import { identifyOwnProcess } from '#processes/process-identity';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The identity of a process that cannot live: numbers end at 2^22. */
const DEAD = '4194305-7';

describe('a file lock', () => {
  it('a file lock is mutually exclusive', async () => {
    const path = join(await temporaryFolder(), 'lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, async () => withFileLock(path, work, { pollMillis: 1 })));
    expect(most).toBe(1);
  });

  it('a file lock returns the result of the work and leaves no file behind', async () => {
    const folder = await temporaryFolder();
    expect(await withFileLock(join(folder, 'lock'), async () => 'result')).toBe('result');
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file lock is released when the work throws, and the error passes through unchanged', async () => {
    const folder = await temporaryFolder();
    const failure = new Error('inside');
    await expect(withFileLock(join(folder, 'lock'), async () => Promise.reject(failure))).rejects.toBe(
      failure,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file lock of a killed process is taken over by exactly one waiting process', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await writeFile(path, `${DEAD} token`);
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4].map(async (n) => withFileLock(path, async () => void order.push(n), { pollMillis: 1 })),
    );
    expect(order.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file lock is taken over even when two processes were killed while taking it over', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    const markerOf = (held: string, token: string): string =>
      `${held}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
    const marker = markerOf(path, `${DEAD} token-1`);
    await writeFile(path, `${DEAD} token-1`);
    await writeFile(marker, `${DEAD} token-2`);
    await writeFile(markerOf(marker, `${DEAD} token-2`), `${DEAD} token-3`);
    const held = await tryFileLock(path);
    expect(held).not.toBeNull();
    await held?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file lock is not touched while a live process takes it over', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    const token = `${DEAD} token`;
    await writeFile(path, token);
    const hash = createHash('sha256').update(token).digest('hex').slice(0, 12);
    await writeFile(`${path}.dead-${hash}`, `${identifyOwnProcess()} token`);
    expect(await tryFileLock(path)).toBeNull();
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('a file lock of a live holder makes the wait end with an error that names the remedy', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await writeFile(path, `${identifyOwnProcess()} token`);
    const waiting = withFileLock(path, async () => 'never', { timeoutMillis: 20, pollMillis: 1 });
    await expect(waiting).rejects.toMatchObject({ category: 'lock_busy', retryable: true });
    await expect(waiting).rejects.toThrow(/has held lock for 20 ms.*remove the file/);
    await expect(waiting).rejects.not.toThrow(folder);
  });

  it('a file lock that cannot be written fails at once instead of waiting', async () => {
    const path = join(await temporaryFolder(), 'missing', 'lock');
    await expect(withFileLock(path, async () => 'never')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** A lock of a process in another container or on another machine, touched so long ago. */
async function foreignLock(path: string, agoMillis: number): Promise<void> {
  await writeFile(path, `${DEAD} token other-host/pid:[4026531836]`);
  await touchedAgo(path, agoMillis);
}

async function touchedAgo(path: string, millis: number): Promise<void> {
  const then = new Date(Date.now() - millis);
  await utimes(path, then, then);
}

async function taken(path: string): Promise<HeldLock> {
  const lock = await tryFileLock(path);
  if (lock === null) throw new Error('Somebody else holds it.');
  return lock;
}

describe('a lock from another pid namespace', () => {
  it('a lock from another pid namespace is respected within its lease, although its pid is not alive here', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS - 30_000);
    expect(await tryFileLock(path)).toBeNull();
    expect(await readFile(path, 'utf8')).toContain('other-host');
  });

  it('a lock from another pid namespace is taken over after its lease, and leaves no file behind', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS + 1000);
    await taken(path);
    expect(await readFile(path, 'utf8')).toContain(identifyOwnProcess());
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('a lock from another pid namespace is taken over by exactly one of many concurrent attempts', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS + 1000);
    const locks = await Promise.all(Array.from({ length: 8 }, () => tryFileLock(path)));
    expect(locks.filter((lock) => lock !== null)).toHaveLength(1);
  });

  it('a lock of our own pid namespace has no lease: a live process holds it as long as it lives', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await taken(path);
    await touchedAgo(path, 10 * FOREIGN_TIMEOUT_MILLIS);
    expect(await tryFileLock(path)).toBeNull();
  });
});

describe('a lock whose takeover was interrupted by a kill', () => {
  /** The file by which one of many may remove the lock of a dead holder. */
  const markerOf = (path: string, token: string): string =>
    `${path}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;

  it.each([1, 2, 3])(
    'a lock whose takeover was interrupted %i times is taken over all the same',
    async (times) => {
      const folder = await temporaryFolder();
      const path = join(folder, 'lock');
      let held = path;
      for (let time = 0; time <= times; time += 1) {
        const token = `${DEAD} token-${time}`;
        await writeFile(held, token);
        held = markerOf(held, token);
      }
      const lock = await taken(path);
      expect(await tryFileLock(path)).toBeNull();
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('a lock is left to the process that holds the marker of its takeover', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const token = `${DEAD} token`;
    await writeFile(path, token);
    const other = await taken(markerOf(path, token));
    expect(await tryFileLock(path)).toBeNull();
    await other.release();
    await taken(path);
  });

  it.each<[string, boolean]>([
    ['lock.bae294e7-b880-4c6c-a126-fe1b4361cdde', true],
    ['lock.dead-0123456789ab', true],
    ['lock.dead-0123456789ab.dead-0123456789ab.bae294e7-b880-4c6c-a126-fe1b4361cdde', true],
    ['lock', false],
    ['lock.', false],
    ['lock.txt', false],
    ['lock.dead-or-alive', false],
    ['padlock.dead-0123456789ab', false],
  ])('the name %s is recognised as a leftover of an interrupted takeover, or not', (name, isLeft) => {
    expect(isAbandonedLockFile('lock', name)).toBe(isLeft);
  });
});

describe('a lock that is held', () => {
  it('a held lock has a new modification time after touch', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    await touchedAgo(path, FOREIGN_TIMEOUT_MILLIS);
    expect(await lock.touch()).toBe(true);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(FOREIGN_TIMEOUT_MILLIS / 2);
  });

  it('touch returns false after a held lock was lost, and does not renew the lock of another', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS + 1000);
    expect(await lock.touch()).toBe(false);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeGreaterThan(FOREIGN_TIMEOUT_MILLIS);
    await rm(path);
    expect(await lock.touch()).toBe(false);
  });

  it('release removes a held lock once, and never the lock of another', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const first = await taken(path);
    await first.release();
    await first.release();
    const second = await taken(path);
    await first.release();
    expect([await first.touch(), await second.touch()]).toEqual([false, true]);
  });

  it('a held lock excludes its own process as well', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    expect(await tryFileLock(path)).toBeNull();
    await lock.release();
    expect(await tryFileLock(path)).not.toBeNull();
  });
});
