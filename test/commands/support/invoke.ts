import { CommanderError, type Command } from 'commander';
import { vi } from 'vitest';
import { testDataDirectory } from '#test/support/data-directory';
import { reportFailure } from '#commands/terminal/report-failure';

/** How a command ended, and what it wrote where. */
export interface Invocation {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the environment of a command holds besides what it is given: nothing of this machine. */
const OWN_VARIABLES = /^(DATABASE_URL|BAROGRAPH_|OTEL_|PG)/;

/** Runs a command in this process as the program does, with an environment of its own. */
export async function invoke(
  command: Command,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Invocation> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const keep = (texts: string[]) => (text: string | Uint8Array) => texts.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep(stdout)),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep(stderr)),
  ];
  const exitCodeBefore = process.exitCode;
  process.exitCode = undefined;
  for (const name of Object.keys(process.env).filter((name) => OWN_VARIABLES.test(name)))
    vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({
    BAROGRAPH_METRICS_PORT: '0',
    BAROGRAPH_DATA_DIR: testDataDirectory(),
    ...environment,
  }))
    vi.stubEnv(name, value);
  try {
    await command.exitOverride().parseAsync(args, { from: 'user' }).catch(endOf);
    return { exitCode: readExitCode(), stdout: stdout.join(''), stderr: stderr.join('') };
  } finally {
    vi.unstubAllEnvs();
    process.exitCode = exitCodeBefore;
    for (const spy of spies) spy.mockRestore();
  }
}

/** What the command set; the compiler still sees what stood there before. */
const readExitCode = (): number =>
  Number((process as { readonly exitCode?: number | string | null }).exitCode ?? 0);

/** The option parser prints wrong options itself and sets its own exit code. */
function endOf(error: unknown): void {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else reportFailure(error);
}
