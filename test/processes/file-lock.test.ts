import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { describe, expect, it } from 'vitest';

import {
  holderOf,
  isAbandonedLockFile,
  tryFileLock,
  withFileLock,
  type HeldLock,
} from '#processes/file-lock';
import { FOREIGN_SILENCE_MILLIS, LockWatch } from '#processes/lock-watch';
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

const FOREIGN = `${DEAD} token other-boot/pid:[4026531836] 1-1`;
/** Between two looks of an observer, ms; a living holder touches its lock at least as often. */
const LOOK_MILLIS = 10_000;

async function touchedAgo(path: string, millis: number): Promise<void> {
  const then = new Date(Date.now() - millis);
  await utimes(path, then, then);
}

async function taken(path: string): Promise<HeldLock> {
  const lock = await tryFileLock(path);
  if (lock === null) throw new Error('Somebody else holds it.');
  return lock;
}

/** An observer with a clock of its own, which looks at a lock again and again. */
function observer() {
  let now = 0;
  const watch = new LockWatch(() => now);
  return async (path: string, millis: number, between = async (): Promise<void> => undefined) => {
    for (const end = now + millis; now < end; now += LOOK_MILLIS) {
      const lock = await tryFileLock(path, watch);
      if (lock !== null) return lock;
      await between();
    }
    return null;
  };
}

describe('a lock from another pid namespace or another boot', () => {
  it.each([
    ['two hours behind', 7_200_000],
    ['120 s behind', 120_000],
    ['120 s ahead', -120_000],
  ])(
    'a living holder keeps its lock, although its wall clock is %s that of the observer',
    async (_, agoMillis) => {
      const path = join(await temporaryFolder(), 'lock');
      await writeFile(path, FOREIGN);
      let beats = 0;
      const beat = (): Promise<void> => touchedAgo(path, agoMillis - (beats += 1));
      await beat();
      expect(await observer()(path, 3 * FOREIGN_SILENCE_MILLIS, beat)).toBeNull();
      expect(await readFile(path, 'utf8')).toBe(FOREIGN);
    },
  );

  it('a lock without a heartbeat is taken over after the silence that the observer itself has seen', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await writeFile(path, FOREIGN);
    await touchedAgo(path, 10 * FOREIGN_SILENCE_MILLIS);
    const look = observer();
    expect(await look(path, FOREIGN_SILENCE_MILLIS), 'an old file alone proves nothing').toBeNull();
    expect(await look(path, 2 * LOOK_MILLIS)).not.toBeNull();
    expect(await readFile(path, 'utf8')).toContain(identifyOwnProcess());
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('an observer that was frozen itself takes nobody for dead because of that', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await writeFile(path, FOREIGN);
    let now = 0;
    const watch = new LockWatch(() => now);
    expect(await tryFileLock(path, watch)).toBeNull();
    now = 10 * FOREIGN_SILENCE_MILLIS;
    expect(await tryFileLock(path, watch)).toBeNull();
  });

  it('nobody knows of its holder, until an observer has listened to its silence long enough', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await writeFile(path, FOREIGN);
    expect(await holderOf(path)).toBe('unknown');
    let now = 0;
    const watch = new LockWatch(() => now);
    const found = new Set<string>();
    for (; now < FOREIGN_SILENCE_MILLIS; now += LOOK_MILLIS) found.add(await holderOf(path, watch));
    expect([...found]).toEqual(['unknown']);
    expect(await holderOf(path, watch)).toBe('dead');
  });

  it('a silent lock is taken over by exactly one of many concurrent attempts', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await writeFile(path, FOREIGN);
    const looks = Array.from({ length: 8 }, () => observer());
    const locks = await Promise.all(looks.map((look) => look(path, 2 * FOREIGN_SILENCE_MILLIS)));
    expect(locks.filter((lock) => lock !== null)).toHaveLength(1);
  });

  it('a lock of our own pid namespace needs no heartbeat: a live process holds it as long as it lives', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await taken(path);
    expect(await observer()(path, 2 * FOREIGN_SILENCE_MILLIS)).toBeNull();
  });

  it.runIf(process.platform === 'linux')(
    'a lock that an earlier version wrote in our own pid namespace is looked up by its pid',
    async () => {
      const path = join(await temporaryFolder(), 'lock');
      await writeFile(path, `${DEAD} token ${hostname()}/${readlinkSync('/proc/self/ns/pid')}`);
      expect(await tryFileLock(path)).not.toBeNull();
    },
  );
});

describe.runIf(process.platform === 'linux')('a lock of a worker thread', () => {
  it('the lock of a worker thread is respected while the thread lives, and taken over once it was terminated', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const { readlinkSync, readFileSync } = require('node:fs');
       const [, tid] = /task\\/(\\d+)$/.exec(readlinkSync('/proc/thread-self'));
       const stat = readFileSync('/proc/self/task/' + tid + '/stat', 'utf8');
       parentPort.postMessage(tid + '-' + stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
       setInterval(() => undefined, 1000);`,
      { eval: true },
    );
    const [thread] = (await once(worker, 'message')) as [string];
    const [identity, id, place] = await readOwnToken();
    await writeFile(path, [identity, id, place, thread].join(' '));
    expect(await tryFileLock(path)).toBeNull();
    await worker.terminate();
    expect(await tryFileLock(path)).not.toBeNull();
  });
});

async function readOwnToken(): Promise<readonly string[]> {
  const path = join(await temporaryFolder(), 'lock');
  await taken(path);
  return (await readFile(path, 'utf8')).split(' ');
}

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
    await touchedAgo(path, 100_000);
    expect(await lock.touch()).toBe(true);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(50_000);
  });

  it('touch returns false after a held lock was lost, and does not renew the lock of another', async () => {
    const path = join(await temporaryFolder(), 'lock');
    const lock = await taken(path);
    expect(lock.isHeld()).toBe(true);
    await writeFile(path, FOREIGN);
    await touchedAgo(path, 100_000);
    expect([await lock.touch(), lock.isHeld()]).toEqual([false, false]);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeGreaterThan(50_000);
    await rm(path);
    expect([await lock.touch(), lock.isHeld()]).toEqual([false, false]);
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
