import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { addServerUser, countServerUsers, removeServerUser } from '#database/embedded/server-users';
import { temporaryFolder } from '#test/support/temporary-folder';

describe('reference count of a server', () => {
  it('every use is counted, even two by one process', async () => {
    const folder = join(await temporaryFolder(), 'users');
    expect(await countServerUsers(folder)).toBe(0);
    const [first, second] = [await addServerUser(folder), await addServerUser(folder)];
    expect(await countServerUsers(folder)).toBe(2);
    await removeServerUser(first);
    await removeServerUser(first);
    expect(await countServerUsers(folder)).toBe(1);
    await removeServerUser(second);
    expect(await countServerUsers(folder)).toBe(0);
  });

  it('killed users are not counted and their markers removed, so that the last living one stops the server', async () => {
    const folder = join(await temporaryFolder(), 'users');
    await addServerUser(folder);
    await writeFile(join(folder, '4194305-7.killed'), '');
    expect(await countServerUsers(folder)).toBe(1);
    expect(await readdir(folder)).toHaveLength(1);
  });
});
