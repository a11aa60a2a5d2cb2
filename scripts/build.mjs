import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from './ensure-installed.mjs';
import { fingerprintFile, fingerprintTree, read } from './fingerprint.mjs';
import { withLock } from './lock.mjs';

const DIST = join(ROOT, 'dist');
/** Inputs of the build. */
const SOURCES = [
  'src',
  'exporters',
  'scripts/build.mjs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
/** Files that stand beside the compiled code, for people. */
const ASSETS = ['src/database/migrations', 'src/database/schema.sql'];
/** The folder whose texts are put into a module, because a bundle has no folder beside it. */
const MIGRATIONS = 'src/database/migrations';
/** Files that are run by name. */
const PROGRAMS = ['src/cli.js'];
/** Fingerprint of the sources of dist/; written last, so that an aborted build counts as none. */
const STAMP = join(DIST, '.built-from');

/** Whether there is a complete build, old or new. */
export function isBuilt() {
  return existsSync(STAMP);
}

/**
 * Compiles to dist/ and copies the SQL beside it, unless the fingerprint shows that dist/ is up to date. A lock file
 * serializes concurrent builds; the second finds a fresh dist/.
 *
 * Without the compiler or the sources (an installation for production) an existing dist/ is used as it is.
 *
 * @returns {boolean} false when it failed; the reason went to standard error
 */
export function build() {
  if (isFresh() || (!existsSync(join(ROOT, 'src')) && isBuilt())) return true;
  const compiler = findCompiler();
  if (compiler === undefined) return explainMissingCompiler();
  return withLock(join(ROOT, '.barograph', 'build.lock'), () => isFresh() || compile(compiler));
}

function isFresh() {
  return read(STAMP) === fingerprint();
}

/** Includes the lockfile, since another compiler version may emit other code. */
function fingerprint() {
  return `${fingerprintTree(ROOT, SOURCES)} ${fingerprintFile(join(ROOT, 'package-lock.json'))}`;
}

function findCompiler() {
  try {
    return createRequire(join(ROOT, 'package.json')).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

function explainMissingCompiler() {
  if (isBuilt()) {
    process.stderr.write(
      'The sources are not those of dist/, and no compiler is installed: dist/ is used as it is.\n',
    );
    return true;
  }
  process.stderr.write('There is no dist/ and no compiler to make it. Run npm ci without --omit=dev.\n');
  return false;
}

function compile(compiler) {
  const before = fingerprint();
  rmSync(STAMP, { force: true });
  removeOrphans();
  // Diagnostics of the compiler go to standard error: standard output belongs to the command that runs.
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write('The build failed; see the lines above.\n');
    return false;
  }
  copyAssets();
  putInMigrations();
  resolveRooms();
  for (const program of PROGRAMS) if (existsSync(join(DIST, program))) chmodSync(join(DIST, program), 0o755);
  writeFileSync(STAMP, before);
  return true;
}

/**
 * The compiler never removes what a removed source left, and a leftover module could still be imported; nor does it write
 * again what would be resolved otherwise now.
 */
function removeOrphans() {
  const manifest = join(DIST, '.sources');
  const names = fingerprintTree(
    ROOT,
    SOURCES.filter((entry) => !entry.endsWith('.json')),
    { namesOnly: true },
  );
  const sources = `${names} ${JSON.stringify(compiledRooms())}`;
  if (read(manifest) !== sources) rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  writeFileSync(manifest, sources);
}

function copyAssets() {
  for (const asset of ASSETS) {
    rmSync(join(DIST, asset), { recursive: true, force: true });
    if (existsSync(join(ROOT, asset))) cpSync(join(ROOT, asset), join(DIST, asset), { recursive: true });
  }
}

/** Puts the texts into the compiled `src/database/migration-files.ts`; what an earlier build put in is replaced. */
function putInMigrations() {
  const folder = join(ROOT, MIGRATIONS);
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  const texts = Object.fromEntries(names.sort().map((name) => [name, read(join(folder, name))]));
  const path = join(DIST, 'src/database/migration-files.js');
  const place = /^const BUILT_IN_MIGRATIONS = .*$/m;
  const text = read(path);
  if (!place.test(text)) throw new Error(`${path} has no place for the migrations: ${place}.`);
  writeFileSync(
    path,
    text.replace(place, () => `const BUILT_IN_MIGRATIONS = ${JSON.stringify(texts)};`),
  );
}

/**
 * Replaces `#facts/x` by its relative path: the package's `imports` name the sources, which are not published, and those of
 * a second package.json in dist/ are read by some tools only.
 */
function resolveRooms() {
  const rooms = compiledRooms();
  for (const name of readdirSync(DIST, { recursive: true })) {
    if (!/\.(js|d\.ts)$/.test(name)) continue;
    const path = join(DIST, name);
    const text = read(path);
    const resolved = text.replace(/(?<=\b(?:from |import |import\()['"])#[^'"]+/g, (specifier) => {
      const target = relative(dirname(path), join(DIST, compiledFile(rooms, specifier)));
      return target.startsWith('.') ? target : `./${target}`;
    });
    if (resolved !== text) writeFileSync(path, resolved);
  }
}

/** @returns {[string, string][]} the names of the rooms in dist/ with their files there, both with `*`; exact names first */
function compiledRooms() {
  const { imports } = JSON.parse(read(join(ROOT, 'package.json')));
  return Object.entries(imports)
    .filter(([, path]) => /^\.\/(src|exporters)\//.test(path))
    .sort(([a], [b]) => Number(a.endsWith('*')) - Number(b.endsWith('*')) || b.length - a.length);
}

function compiledFile(rooms, specifier) {
  for (const [name, path] of rooms) {
    const prefix = name.replace('*', '');
    const isMatch = prefix === name ? specifier === name : specifier.startsWith(prefix);
    if (isMatch) return path.replace('*', specifier.slice(prefix.length)).replace(/\.ts$/, '.js');
  }
  throw new Error(
    `Got the import ${specifier}. Allowed: the names of \`imports\` in package.json for src and exporters.`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = build() ? 0 : 1;
