import { chmod, mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findTemporaryPlace, isPrivatelyOwned, isTraversable } from '#database/embedded/shared-place';
import { temporaryFolder } from '#test/support/temporary-folder';

const STRANGER = { name: 'stranger', uid: 54_321, gid: 54_321 };

describe('a folder', () => {
  it('a folder below one that others may not search cannot be reached by the account', async () => {
    const folder = await temporaryFolder();
    expect(await isTraversable(join(folder, 'not', 'there', 'yet'), STRANGER)).toBe(false);
    await chmod(folder, 0o711);
    expect(await isTraversable(join(folder, 'not', 'there', 'yet'), STRANGER)).toBe(true);
  });

  it('a folder is judged by the bits of the owner or the group when the account is that', async () => {
    const folder = await temporaryFolder();
    const own = { name: 'own', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    expect(await isTraversable(folder, own)).toBe(true);
    const sameGroup = { ...own, uid: STRANGER.uid };
    expect(await isTraversable(folder, sameGroup)).toBe(false);
    await chmod(folder, 0o710);
    expect(await isTraversable(folder, sameGroup)).toBe(true);
    await chmod(folder, 0o670);
    expect(await isTraversable(folder, own)).toBe(false);
    await chmod(folder, 0o700);
  });
});

describe('the temporary place', () => {
  it('the temporary place is the usual one for a server of our own', async () => {
    expect(await findTemporaryPlace(undefined)).toBe(tmpdir());
  });

  it('the temporary place is one that the account of the server can reach', async () => {
    expect(await isTraversable(await findTemporaryPlace(STRANGER), STRANGER)).toBe(true);
  });
});

describe('a folder that root is to run programs from', () => {
  it('a folder that root is to run programs from is trusted when it is ours and nobody else may write to it', async () => {
    const folder = await temporaryFolder();
    expect(await isPrivatelyOwned(folder)).toBe(true);
  });

  it('a folder that root is to run programs from is not trusted when others may write to it, or when it only links somewhere', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'open'));
    await chmod(join(folder, 'open'), 0o777);
    await symlink(folder, join(folder, 'link'));
    expect(await isPrivatelyOwned(join(folder, 'open'))).toBe(false);
    expect(await isPrivatelyOwned(join(folder, 'link'))).toBe(false);
  });
});
