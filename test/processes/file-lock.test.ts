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
  it('a file lock lets one in at a time, so that nobody meets another inside', async () => {
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

  it('a file lock gives what the work gives and leaves no file behind', async () => {
    const folder = await temporaryFolder();
    expect(await withFileLock(join(folder, 'lock'), async () => 'result')).toBe('result');
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file lock is given back when the work throws, and the error comes through as it is', async () => {
    const folder = await temporaryFolder();
    const failure = new Error('inside');
    await expect(withFileLock(join(folder, 'lock'), async () => Promise.reject(failure))).rejects.toBe(
      failure,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('a file lock of a killed process is taken over by exactly one of those who wait', async () => {
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

  it('a file lock of a killed process is taken over even when whoever took it over was killed in the middle, twice', async () => {
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

  it('a file lock is left alone while somebody alive takes it over', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    const token = `${DEAD} token`;
    await writeFile(path, token);
    const hash = createHash('sha256').update(token).digest('hex').slice(0, 12);
    await writeFile(`${path}.dead-${hash}`, `${identifyOwnProcess()} token`);
    expect(await tryFileLock(path)).toBeNull();
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('a file lock of a living holder is respected: the wait ends with an error that says what to do', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await writeFile(path, `${identifyOwnProcess()} token`);
    const waiting = withFileLock(path, async () => 'never', { timeoutMillis: 20, pollMillis: 1 });
    await expect(waiting).rejects.toMatchObject({ category: 'lock_busy', retryable: true });
    await expect(waiting).rejects.toThrow(/has held lock for 20 ms.*remove the file/);
    await expect(waiting).rejects.not.toThrow(folder);
  });

  it('a file lock that cannot be written at all fails at once instead of waiting', async () => {
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

describe('the lock of a holder whose process cannot be seen from here', () => {
  it('the lock of a holder whose process cannot be seen from here is respected while it is touched, though no process of that number lives here', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS - 30_000);
    expect(await tryFileLock(path)).toBeNull();
    expect(await readFile(path, 'utf8')).toContain('other-host');
  });

  it('the lock of a holder whose process cannot be seen from here is taken over when it was not touched for too long, and no file is left of that', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS + 1000);
    await taken(path);
    expect(await readFile(path, 'utf8')).toContain(identifyOwnProcess());
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('the lock of a holder whose process cannot be seen from here is taken over by exactly one of many who try at once', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS + 1000);
    const locks = await Promise.all(Array.from({ length: 8 }, () => tryFileLock(path)));
    expect(locks.filter((lock) => lock !== null)).toHaveLength(1);
  });

  it('the lock of a holder whose process cannot be seen from here does not grow old by our own clock: a process that can be seen holds its lock as long as it lives', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await taken(path);
    await touchedAgo(path, 10 * FOREIGN_TIMEOUT_MILLIS);
    expect(await tryFileLock(path)).toBeNull();
  });
});

describe('a lock whose taker was killed while it took it over from a dead holder', () => {
  /** The file by which one of many may remove the lock of a dead holder. */
  const markerOf = (path: string, token: string): string =>
    `${path}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;

  it.each([1, 2, 3])(
    'a lock whose taker was killed while it took it over from a dead holder is taken over all the same, also when that happened %i times',
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

  it('a lock whose taker was killed while it took it over from a dead holder is left to another that takes it over just now', async () => {
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
  ])(
    'a lock whose taker was killed while it took it over from a dead holder may have left files, which are known by their names: %s',
    (name, isLeft) => {
      expect(isAbandonedLockFile('lock', name)).toBe(isLeft);
    },
  );
});

describe('a lock that is held', () => {
  it('a lock that is held looks fresh when it was touched', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    await touchedAgo(path, FOREIGN_TIMEOUT_MILLIS);
    expect(await lock.touch()).toBe(true);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(FOREIGN_TIMEOUT_MILLIS / 2);
  });

  it('a lock that is held knows that it was lost, to another or to nobody, and freshens no lock of another', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    await foreignLock(path, FOREIGN_TIMEOUT_MILLIS + 1000);
    expect(await lock.touch()).toBe(false);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeGreaterThan(FOREIGN_TIMEOUT_MILLIS);
    await rm(path);
    expect(await lock.touch()).toBe(false);
  });

  it('a lock that is held is given back once; what another took meanwhile stays', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const first = await taken(path);
    await first.release();
    await first.release();
    const second = await taken(path);
    await first.release();
    expect([await first.touch(), await second.touch()]).toEqual([false, true]);
  });

  it('a lock that is held excludes its own process as well: a second taker of the same program is another', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    expect(await tryFileLock(path)).toBeNull();
    await lock.release();
    expect(await tryFileLock(path)).not.toBeNull();
  });
});
