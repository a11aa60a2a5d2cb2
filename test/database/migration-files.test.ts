import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { readMigrationFiles } from '#database/migration-files';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function folderWith(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  await Promise.all(names.map(async (name) => writeFile(join(folder, name), `-- ${name}`)));
  return folder;
}

describe('readMigrationFiles', () => {
  it('migrations are read in the order of their numbers, and other files are ignored', async () => {
    const folder = await folderWith('0002_second_step.sql', '0001_first.sql', 'README.md');
    expect(await readMigrationFiles(folder)).toEqual([
      { version: 1, name: 'first', sql: '-- 0001_first.sql' },
      { version: 2, name: 'second_step', sql: '-- 0002_second_step.sql' },
    ]);
  });

  it('a folder without migrations yields none', async () => {
    expect(await readMigrationFiles(await folderWith())).toEqual([]);
  });

  it.each(['1_first.sql', '0001-first.sql', '0001_First.sql', '0001_.sql', 'first.sql'])(
    'a migration with the file name %s is rejected',
    async (name) => {
      await expect(readMigrationFiles(await folderWith(name))).rejects.toThrow(
        `Got the file ${name}. Allowed: NNNN_name.sql`,
      );
    },
  );

  it('a missing number is rejected, because the order of two branches would be undefined', async () => {
    const folder = await folderWith('0001_first.sql', '0003_third.sql');
    await expect(readMigrationFiles(folder)).rejects.toThrow('Got version 3 where 2 belongs');
  });

  it('a repeated number is rejected', async () => {
    const folder = await folderWith('0001_first.sql', '0001_other.sql');
    await expect(readMigrationFiles(folder)).rejects.toThrow('Got version 1 where 2 belongs');
  });
});

describe('migrations of this program', () => {
  it('the migrations of this program are numbered without gaps', async () => {
    const files = await readMigrationFiles();
    expect(files.map(({ version }) => version)).toEqual(files.map((_, index) => index + 1));
    expect(files.length).toBeGreaterThan(0);
  });
});
