import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testDataDirectory } from '#test/support/data-directory';

const ROOT = join(import.meta.dirname, '../../..');
const PROGRAMS = join(ROOT, 'test/servers/programs');
/** The compilers and test runners that the projects borrow. */
export const TOOLS = join(ROOT, 'node_modules');

/** A Node that the programs of the projects run on. */
export interface TestedNode {
  readonly path: string;
  /** As `v24.1.0`. */
  readonly version: string;
}

/** This Node, and that of `NEWER_NODE`, by which the projects are not installed a second time. */
export const NODES: readonly TestedNode[] = [process.execPath, process.env['NEWER_NODE'] ?? '']
  .filter((path) => path !== '')
  .map((path) => ({ path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() }));

/** What a program of a project gets beyond the environment of the tests. */
export type Environment = Readonly<Record<string, string>>;

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program without what vitest puts into its environment, so that a user's vitest is not one of ours.
 *
 * @throws Error with everything that it printed, when it fails
 */
export function run(
  cwd: string,
  program: string,
  args: readonly string[],
  more: Environment = {},
): Promise<Output> {
  const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_|TEST$|PROD$|DEV$)/.test(name));
  const env = { ...Object.fromEntries(own), BAROGRAPH_DATA_DIR: testDataDirectory(), ...more };
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env, encoding: 'utf8', timeout: 600_000 }, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else
        reject(
          new Error(`${program} ${args.join(' ')} failed in ${cwd}: ${stderr}${stdout}`, { cause: error }),
        );
    });
  });
}

/** Packs the package as it is published. @returns the path of the file */
export async function pack(folder: string): Promise<string> {
  await run(ROOT, process.execPath, ['scripts/build.mjs']);
  await run(ROOT, 'npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]);
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
}

const INSTALLERS = {
  npm: ['npm', 'install', '--no-audit', '--no-fund', '--omit=optional'],
  'npm with strict peers': [
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    '--omit=optional',
    '--strict-peer-deps',
  ],
  'pnpm with strict peers': ['npx', '--yes', 'pnpm@9', 'add', '--no-optional', '--strict-peer-dependencies'],
};

/** The project of a user: the packages are installed, and the programs of `test/servers/programs` are there. */
export async function install(
  folders: string,
  by: keyof typeof INSTALLERS,
  packages: readonly string[],
): Promise<string> {
  const folder = mkdtempSync(join(folders, 'project-'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "scratch", "private": true }');
  const [program = '', ...args] = INSTALLERS[by];
  await run(folder, program, [...args, '--silent', '--ignore-scripts', '--prefer-offline', ...packages]);
  cpSync(PROGRAMS, folder, { recursive: true });
  return folder;
}
