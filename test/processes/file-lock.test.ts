import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { tryFileLock, withFileLock } from '../../src/processes/file-lock.ts';
import { identifyOwnProcess } from '../../src/processes/process-identity.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The identity of a process that cannot live: numbers end at 2^22. */
const DEAD = '4194305-7';

describe('a file lock', () => {
  it('lets one in at a time, so that nobody meets another inside', async () => {
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

  it('gives what the work gives and leaves no file behind', async () => {
    const folder = await temporaryFolder();
    expect(await withFileLock(join(folder, 'lock'), async () => 'result')).toBe('result');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is given back when the work throws, and the error comes through as it is', async () => {
    const folder = await temporaryFolder();
    const failure = new Error('inside');
    await expect(withFileLock(join(folder, 'lock'), async () => Promise.reject(failure))).rejects.toBe(
      failure,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a killed process is taken over by exactly one of those who wait', async () => {
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

  it('of a killed process is taken over even when whoever took it over was killed in the middle, twice', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    const markerOf = (token: string): string =>
      `${path}.dead-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
    const [lock, marker, markerOfMarker] = [1, 2, 3].map((n) => `${DEAD} token-${n}`) as [
      string,
      string,
      string,
    ];
    await writeFile(path, lock);
    await writeFile(markerOf(lock), marker);
    await writeFile(markerOf(marker), markerOfMarker);
    const held = await tryFileLock(path);
    expect(held).not.toBeNull();
    await held?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is left alone while somebody alive takes it over', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    const token = `${DEAD} token`;
    await writeFile(path, token);
    const hash = createHash('sha256').update(token).digest('hex').slice(0, 12);
    await writeFile(`${path}.dead-${hash}`, `${identifyOwnProcess()} token`);
    expect(await tryFileLock(path)).toBeNull();
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('of a living holder is respected: the wait ends with an error that says what to do', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'lock');
    await writeFile(path, `${identifyOwnProcess()} token`);
    const waiting = withFileLock(path, async () => 'never', { timeoutMillis: 20, pollMillis: 1 });
    await expect(waiting).rejects.toMatchObject({ category: 'lock_busy', retryable: true });
    await expect(waiting).rejects.toThrow(/has held lock for 20 ms.*remove the file/);
    await expect(waiting).rejects.not.toThrow(folder);
  });

  it('that cannot be written at all fails at once instead of waiting', async () => {
    const path = join(await temporaryFolder(), 'missing', 'lock');
    await expect(withFileLock(path, async () => 'never')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
