import { chmod, mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findTemporaryPlace, isPrivatelyOwned, isTraversable } from '#database/embedded/shared-place';
import { temporaryFolder } from '#test/support/temporary-folder';

const OTHER_ACCOUNT = { name: 'other', uid: 54_321, gid: 54_321 };

describe('isTraversable', () => {
  it('a folder below one that others may not search is not reachable', async () => {
    const folder = await temporaryFolder();
    expect(await isTraversable(join(folder, 'not', 'there', 'yet'), OTHER_ACCOUNT)).toBe(false);
    await chmod(folder, 0o711);
    expect(await isTraversable(join(folder, 'not', 'there', 'yet'), OTHER_ACCOUNT)).toBe(true);
  });

  it('the owner or group bits apply when the account is owner or group', async () => {
    const folder = await temporaryFolder();
    const own = { name: 'own', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    expect(await isTraversable(folder, own)).toBe(true);
    const sameGroup = { ...own, uid: OTHER_ACCOUNT.uid };
    expect(await isTraversable(folder, sameGroup)).toBe(false);
    await chmod(folder, 0o710);
    expect(await isTraversable(folder, sameGroup)).toBe(true);
    await chmod(folder, 0o670);
    expect(await isTraversable(folder, own)).toBe(false);
    await chmod(folder, 0o700);
  });
});

describe('findTemporaryPlace', () => {
  it('the temporary folder is the usual one when the server runs as this user', async () => {
    expect(await findTemporaryPlace(undefined)).toBe(tmpdir());
  });

  it('the temporary folder is one that the account of the server can reach', async () => {
    expect(await isTraversable(await findTemporaryPlace(OTHER_ACCOUNT), OTHER_ACCOUNT)).toBe(true);
  });
});

describe('isPrivatelyOwned', () => {
  it('a folder is trusted when it is ours and not writable by others', async () => {
    const folder = await temporaryFolder();
    expect(await isPrivatelyOwned(folder)).toBe(true);
  });

  it('a folder that others may write to, or a symlink, is not trusted', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'open'));
    await chmod(join(folder, 'open'), 0o777);
    await symlink(folder, join(folder, 'link'));
    expect(await isPrivatelyOwned(join(folder, 'open'))).toBe(false);
    expect(await isPrivatelyOwned(join(folder, 'link'))).toBe(false);
  });
});
