import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { segmentPath } from '#spool/segments/segment-files';
import {
  claimFolder,
  claimOrphan,
  listFolders,
  removeFolder,
  quarantine,
  type SpoolFolder,
} from '#spool/spool-folder';
import { temporaryFolder } from '#test/support/temporary-folder';

async function claimed(root: string, name = 'spool'): Promise<SpoolFolder> {
  const folder = await claimFolder(root, name);
  if (folder === null) throw new Error(`${name} is locked.`);
  return folder;
}

describe('spool folder', () => {
  it('a claimed folder is created with its parents, readable by its user alone, and locked', async () => {
    const root = join(await temporaryFolder(), 'spool', 'database');
    const folder = await claimed(root);
    expect((await stat(folder.directory)).mode & 0o777).toBe(0o700);
    expect(await claimFolder(root, 'spool')).toBeNull();
    await folder.lock.release();
    expect(await claimFolder(root, 'spool')).not.toBeNull();
  });

  it('a folder that is being made is never taken for that of a dead process', async () => {
    const root = await temporaryFolder();
    const taken: string[] = [];
    const state = { isOver: false };
    const takeOrphans = async (): Promise<void> => {
      while (!state.isOver)
        for (const name of await listFolders(root))
          if ((await claimOrphan(root, name).catch(() => null)) !== null) taken.push(name);
    };
    const taking = takeOrphans();
    const folders = await Promise.all(Array.from({ length: 50 }, (_, at) => claimed(root, `spool-${at}`)));
    state.isOver = true;
    await taking;
    expect(taken).toEqual([]);
    expect(folders.every(({ lock }) => lock.isHeld())).toBe(true);
    expect((await readdir(root)).length).toBe(50);
  });

  it('a folder that is gone is no orphan, and is not made again', async () => {
    const root = await temporaryFolder();
    await expect(claimOrphan(root, 'gone')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(root)).toEqual([]);
  });

  it('a folder that cannot be created is an error, not a folder that is locked', async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, 'in-the-way'), '');
    await expect(claimFolder(join(root, 'in-the-way'), 'spool')).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('removeFolder deletes all files of a spool, its lock included', async () => {
    const root = await temporaryFolder();
    const folder = await claimed(root);
    for (const number of [1, 2, 12]) await writeFile(segmentPath(folder.directory, number), 'records');
    for (const name of ['books', 'cursor', 'tail', 'reserve'])
      await writeFile(join(folder.directory, name), '');
    await removeFolder(folder);
    expect(await readdir(root)).toEqual([]);
  });

  it('removeFolder deletes the lock files of processes that were killed during an adoption', async () => {
    const root = await temporaryFolder();
    const folder = await claimed(root);
    for (const rest of ['bae294e7-b880-4c6c-a126-fe1b4361cdde', 'dead-0123456789ab'])
      await writeFile(join(folder.directory, `owner.${rest}`), '');
    await removeFolder(folder);
    expect(await readdir(root)).toEqual([]);
  });

  it('removeFolder keeps foreign files, and the folder with them', async () => {
    const root = await temporaryFolder();
    const folder = await claimed(root);
    const others = ['7.segment', 'books.old', 'notes.segment', 'notes.txt'];
    for (const name of others) await writeFile(join(folder.directory, name), 'not ours');
    await mkdir(join(folder.directory, 'deeper'));
    await writeFile(segmentPath(folder.directory, 1), 'records');
    await removeFolder(folder);
    expect((await readdir(folder.directory)).toSorted()).toEqual([
      ...others.slice(0, 2),
      'deeper',
      ...others.slice(2),
    ]);
  });

  it('a quarantined folder keeps its files under a name that is never adopted', async () => {
    const root = await temporaryFolder();
    const folder = await claimed(root);
    await writeFile(segmentPath(folder.directory, 1), 'damaged');
    const place = `${folder.directory}.unreadable`;
    expect(await quarantine(folder, 'it is damaged')).toBe(
      `Records in ${place} cannot be read: it is damaged. Segments with 7 bytes are kept there; ` +
        `look at them with \`barograph spools inspect ${place}\`.`,
    );
    expect(await readdir(place)).toEqual(['0000000001.segment']);
    expect(await listFolders(root)).toEqual(['spool.unreadable']);
  });

  it('a folder is set aside beside another one of the same name, which stays whole', async () => {
    const root = await temporaryFolder();
    for (const content of ['first', 'second']) {
      const folder = await claimed(root);
      await writeFile(segmentPath(folder.directory, 1), content);
      await quarantine(folder, 'it is damaged');
    }
    expect(await listFolders(root)).toEqual(['spool.2.unreadable', 'spool.unreadable']);
    expect(await readFile(segmentPath(join(root, 'spool.unreadable'), 1), 'utf8')).toBe('first');
  });
});

describe('listFolders', () => {
  it('folders are listed in the order of their names, without files', async () => {
    const root = await temporaryFolder();
    for (const name of ['b', 'a', 'c.unreadable']) await mkdir(join(root, name));
    await writeFile(join(root, 'file'), '');
    expect(await listFolders(root)).toEqual(['a', 'b', 'c.unreadable']);
  });

  it('a missing root has no folders', async () => {
    expect(await listFolders(join(await temporaryFolder(), 'missing'))).toEqual([]);
  });
});
