import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testDataDirectory } from '#test/support/data-directory';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const OWN_VARIABLES = /^(DATABASE_URL|BAROGRAPH_|OTEL_|PG|VITEST|NODE_OPTIONS)/;

/** A Barograph program in a child process. */
export interface RunningProgram {
  /** Resolves when what was written to standard error matches. */
  untilStderrMatches(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{
    readonly exitCode: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/** Starts `src/<name>.ts` with an environment of its own and nothing of this machine. */
export function startProgram(
  name: 'cli' | 'start-command',
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): RunningProgram {
  const inherited = Object.entries(process.env).filter(([variable]) => !OWN_VARIABLES.test(variable));
  const child = spawn(process.execPath, ['--import', 'tsx', `src/${name}.ts`, ...args], {
    cwd: ROOT,
    env: {
      ...Object.fromEntries(inherited),
      BAROGRAPH_METRICS_PORT: '0',
      BAROGRAPH_DATA_DIR: testDataDirectory(),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Awaited<RunningProgram['ended']>>((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    untilStderrMatches: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(stderr)) resolve();
        };
        look();
        child.stderr.on('data', look);
        void ended.then(() =>
          reject(new Error(`the program ended without printing ${String(pattern)}: ${stderr}`)),
        );
      }),
  };
}
