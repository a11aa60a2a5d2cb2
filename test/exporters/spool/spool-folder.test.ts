import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimFolder, removeFolder } from '../../../exporters/spool/spool-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function claimed(root: string) {
  const folder = await claimFolder(root, 'process-1');
  if (folder === null) throw new Error('The folder is new, and somebody holds it.');
  return folder;
}

describe('the folder of a spool', () => {
  it('goes with its files, and with what was left by processes that were killed while they took it', async () => {
    const root = await temporaryFolder();
    const folder = await claimed(root);
    for (const name of ['0000000001.segment', 'books', 'cursor', 'owner.draft-of-a-dead-process'])
      await writeFile(join(folder.directory, name), '');
    await removeFolder(folder);
    expect(await readdir(root)).toEqual([]);
  });

  it('stays when it holds what no spool makes', async () => {
    const root = await temporaryFolder();
    const folder = await claimed(root);
    await writeFile(join(folder.directory, 'notes.txt'), 'look at this');
    await removeFolder(folder);
    expect(await readdir(folder.directory)).toEqual(['notes.txt']);
  });
});
