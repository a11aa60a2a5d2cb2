import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
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
/** Files that the compiled code reads beside itself. */
const ASSETS = ['src/database/migrations', 'src/database/schema.sql'];
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
  writePackageScope();
  for (const program of PROGRAMS) if (existsSync(join(DIST, program))) chmodSync(join(DIST, program), 0o755);
  writeFileSync(STAMP, before);
  return true;
}

/** The compiler never removes what a removed source left; a leftover module could still be imported. */
function removeOrphans() {
  const manifest = join(DIST, '.sources');
  const sources = fingerprintTree(
    ROOT,
    SOURCES.filter((entry) => !entry.endsWith('.json')),
    { namesOnly: true },
  );
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

/**
 * A package scope for dist/: `#facts/x` names a source under the root package.json and its compiled form under this one.
 *
 * Node and bundlers resolve by the nearest package.json, so importers need no custom condition.
 */
function writePackageScope() {
  const { type, sideEffects, imports } = JSON.parse(read(join(ROOT, 'package.json')));
  const compiled = Object.entries(imports).filter(([, path]) => /^\.\/(src|exporters)\//.test(path));
  const scope = {
    type,
    sideEffects,
    imports: Object.fromEntries(compiled.map(([name, path]) => [name, path.replace(/\.ts$/, '.js')])),
  };
  writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(scope, null, 2)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = build() ? 0 : 1;
