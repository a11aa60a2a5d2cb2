import { chmod, mkdir, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openServerState, saveServerState } from '#database/embedded/server-state';
import { temporaryFolder } from '#test/support/temporary-folder';

describe('server state', () => {
  it('the state is created once, with a long random password and the cluster beside it', async () => {
    const folder = await temporaryFolder();
    const state = await openServerState(folder, undefined);
    expect(state).toMatchObject({ clusterDirectory: join(folder, 'cluster'), port: 0 });
    expect(state.password).toMatch(/^[\w-]{32}$/);
    expect(await openServerState(folder, undefined)).toEqual(state);
  });

  it('the password differs between data directories, so that no foreign server is adopted', async () => {
    const [first, second] = [await temporaryFolder(), await temporaryFolder()];
    const passwords = [await openServerState(first, undefined), await openServerState(second, undefined)];
    expect(passwords[0]?.password).not.toBe(passwords[1]?.password);
  });

  it('the state is readable by this user only and replaced atomically', async () => {
    const folder = await temporaryFolder();
    const state = await openServerState(folder, undefined);
    await saveServerState(folder, { ...state, port: 4321 });
    expect((await openServerState(folder, undefined)).port).toBe(4321);
    expect((await stat(join(folder, 'postgres.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['postgres.json']);
  });

  it('a state file readable by other users is rejected', async () => {
    const folder = await temporaryFolder();
    await openServerState(folder, undefined);
    await chmod(join(folder, 'postgres.json'), 0o644);
    await expect(openServerState(folder, undefined)).rejects.toThrow(
      /is readable by other users\. Allowed: mode 0600/,
    );
  });

  it.each(['', '{', '{"password":"short"}', 'null'])(
    'a malformed state file (%s) is rejected',
    async (text) => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'postgres.json'), text, { mode: 0o600 });
      await expect(openServerState(folder, undefined)).rejects.toThrow(
        /cannot be read.*move the data directory away/,
      );
    },
  );

  it.runIf(process.getuid?.() === 0)(
    'the cluster is placed elsewhere when the account of the server cannot reach the directory',
    async () => {
      const folder = await temporaryFolder();
      await mkdir(join(folder, 'data'));
      const { clusterDirectory } = await openServerState(join(folder, 'data'), {
        name: 'other',
        uid: 54_321,
        gid: 54_321,
      });
      // Only the empty folder was created; it remains if other clusters are stored in it.
      onTestFinished(async () => rmdir(dirname(clusterDirectory)).catch(() => undefined));
      expect(clusterDirectory).toMatch(/^\/var\/(lib|tmp)\/barograph\/[\w-]{36}$/);
      expect((await openServerState(join(folder, 'data'), undefined)).clusterDirectory).toBe(
        clusterDirectory,
      );
    },
  );
});
