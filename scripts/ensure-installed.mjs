import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { fingerprintFile, read } from './fingerprint.mjs';
import { withLock } from './lock.mjs';

/** The folder of package.json. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const LOCKFILE = join(ROOT, 'package-lock.json');
/** Below node_modules, so that removing them removes the stamp, too. */
const STAMP = join(ROOT, 'node_modules', '.barograph-installed');

/**
 * Installs what package-lock.json pins, unless that is installed already.
 *
 * Nothing is written to standard output, which belongs to the command that runs: npm's own goes to standard error.
 * After a manual installation npm's own record is compared instead, so that nothing is installed twice.
 * Ends the process with npm's exit code when the installation fails.
 *
 * @param {{ withTools: boolean }} options whether the tools of development are needed too
 */
export function ensureInstalled(options) {
  if (isInstalled(options)) return;
  withLock(join(ROOT, '.barograph', 'install.lock'), () => {
    if (!isInstalled(options)) install();
  });
}

function isInstalled({ withTools }) {
  if (read(STAMP) === fingerprintFile(LOCKFILE)) return true;
  const [wanted, actual] = [read(LOCKFILE), read(join(ROOT, 'node_modules', '.package-lock.json'))];
  if (wanted === undefined || actual === undefined) return false;
  if (isCovered(wanted, actual, { withTools: true })) {
    writeStamp();
    return true;
  }
  return !withTools && isCovered(wanted, actual, { withTools: false });
}

/** Whether npm's record of node_modules holds every package that the lockfile wants on this platform. */
function isCovered(wanted, actual, { withTools }) {
  const installed = JSON.parse(actual).packages;
  return Object.entries(JSON.parse(wanted).packages).every(
    ([path, { version, optional, dev, devOptional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      (installed[path] === undefined && (optional === true || (!withTools && (dev || devOptional) === true))),
  );
}

function install() {
  process.stderr.write('Installing the packages that package-lock.json pins; this is needed once.\n');
  const { npm_execpath: npmProgram } = process.env;
  const isNpm = npmProgram !== undefined && basename(npmProgram) === 'npm-cli.js' && existsSync(npmProgram);
  const [program, ...first] = isNpm ? [process.execPath, npmProgram] : ['npm'];
  const args = [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 2, 'inherit'] });
  if (status !== 0) {
    process.stderr.write(
      'npm ci failed. Is the registry reachable (npm ping)? Run it by hand to see more.\n',
    );
    process.exit(status ?? 1);
  }
  writeStamp();
}

function writeStamp() {
  try {
    writeFileSync(STAMP, fingerprintFile(LOCKFILE));
  } catch {
    // Best effort: a read-only checkout has no stamp and is compared on every start.
  }
}
