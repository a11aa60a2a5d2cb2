import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  cannotRunError,
  ensureCluster,
  ensureDataDirectory,
  serverProcessOptions,
} from '#database/embedded/cluster';
import { findServerAccount } from '#database/embedded/os-user';
import { findTemporaryPlace } from '#database/embedded/shared-place';
import { temporaryFolder } from '#test/support/temporary-folder';

/** A folder that the account of the server can reach. */
async function reachableFolder(): Promise<string> {
  const folder = await mkdtemp(
    join(await findTemporaryPlace(await findServerAccount()), 'barograph-cluster-'),
  );
  await chmod(folder, 0o711);
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A shell script as fake initdb. `$1` is `--pgdata=…`, `$3` is `--pwfile=…`. */
async function fakeInitdb(folder: string, script: string): Promise<string> {
  const path = join(folder, 'initdb');
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await chmod(path, 0o755);
  return path;
}

async function optionsFor(initdb: string) {
  return { initdb, password: 's3cret-password', user: await findServerAccount(), isDurable: false };
}

describe('ensureCluster', () => {
  it('a cluster is created once, and a second call runs nothing', async () => {
    const folder = await reachableFolder();
    const initdb = await fakeInitdb(folder, 'echo 18 > "${1#--pgdata=}/PG_VERSION"');
    const cluster = join(folder, 'cluster');
    await ensureCluster(cluster, await optionsFor(initdb));
    expect(await readFile(join(cluster, 'PG_VERSION'), 'utf8')).toBe('18\n');
    expect((await stat(cluster)).mode & 0o777).toBe(0o700);
    await ensureCluster(cluster, await optionsFor(join(folder, 'missing')));
    expect(await readdir(folder)).toEqual(['cluster', 'initdb']);
  });

  it('a cluster belongs to the account of the server, which can read the password during initdb', async () => {
    const folder = await reachableFolder();
    const initdb = await fakeInitdb(
      folder,
      'cat "${3#--pwfile=}" > "${1#--pgdata=}/seen"; id -u > "${1#--pgdata=}/uid"',
    );
    const options = await optionsFor(initdb);
    await ensureCluster(join(folder, 'cluster'), options);
    expect(await readFile(join(folder, 'cluster', 'seen'), 'utf8')).toBe('s3cret-password');
    const uid = options.user?.uid ?? process.getuid?.();
    expect(Number(await readFile(join(folder, 'cluster', 'uid'), 'utf8'))).toBe(uid);
    expect((await stat(join(folder, 'cluster'))).uid).toBe(uid);
  });

  it('a failed initdb is reported without the path and leaves neither cluster nor password file', async () => {
    const folder = await reachableFolder();
    const initdb = await fakeInitdb(folder, 'echo "initdb: error: no space in ${1#--pgdata=}" >&2; exit 1');
    const making = ensureCluster(join(folder, 'cluster'), await optionsFor(initdb));
    await expect(making).rejects.toThrow(
      /initdb ended with 1\): initdb: error: no space in the data directory Make room/,
    );
    await expect(making).rejects.not.toThrow(folder);
    expect(await readdir(folder)).not.toContain('cluster');
    expect(await readdir(folder)).not.toContain('cluster.password');
  });

  it('a program that cannot be executed is an error, as with another C library, and never blocks', async () => {
    const folder = await reachableFolder();
    const making = ensureCluster(join(folder, 'cluster'), await optionsFor(join(folder, 'missing')));
    await expect(making).rejects.toThrow(/cannot run here \(ENOENT\)\. Allowed: Linux with glibc, macOS/);
  });
});

describe('PostgreSQL program', () => {
  it('a program gets none of our environment, which may contain secrets and PG settings', () => {
    const { env, cwd } = serverProcessOptions(undefined);
    expect(Object.keys(env).toSorted()).toEqual(['LC_ALL', 'PATH', 'TZ']);
    expect(cwd).toBe('/');
  });

  it('a program runs under the given account, or as this user without one', () => {
    expect(serverProcessOptions({ name: 'postgres', uid: 101, gid: 104 })).toMatchObject({
      uid: 101,
      gid: 104,
    });
    expect(serverProcessOptions(undefined)).not.toHaveProperty('uid');
  });

  it('a program that cannot be executed is reported with DATABASE_URL as the remedy', () => {
    expect(cannotRunError(new Error('x')).message).toContain('Set DATABASE_URL');
    expect(cannotRunError(new Error('x')).retryable).toBe(false);
  });
});

describe('ensureDataDirectory', () => {
  it('a created data directory can be searched but not listed by other users', async () => {
    const path = join(await temporaryFolder(), 'a', 'b');
    await ensureDataDirectory(path);
    expect((await stat(path)).mode & 0o777).toBe(0o711);
  });

  it('an existing data directory keeps its mode', async () => {
    const path = join(await temporaryFolder(), 'kept');
    await mkdir(path, { mode: 0o700 });
    await ensureDataDirectory(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });
});
