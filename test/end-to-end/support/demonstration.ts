import { demonstrate } from '#commands/run/demonstration';
import type { FinishedRun } from '#commands/run/run-on-stores';
import { testDataDirectory } from '#test/support/data-directory';
import { readConfig, type Config } from '#src/config';
import { captureOutput, type CapturedOutput } from '#test/commands/support/captured-output';

/** Fifteen days of waiting become a second and a bit. */
const DELAY_FACTOR = '0.000001';

/** The configuration of a test: its database, any free port, scaled delays, and nothing else of this machine. */
export const testConfig = (databaseUrl: string, changes: Readonly<Record<string, string>> = {}): Config =>
  readConfig({
    DATABASE_URL: databaseUrl,
    BAROGRAPH_DATA_DIR: testDataDirectory(),
    BAROGRAPH_METRICS_PORT: '0',
    BAROGRAPH_DELAY_FACTOR: DELAY_FACTOR,
    ...changes,
  });

/** A demonstration that ran to its end in this process; the test closes it. */
export interface TestDemonstration {
  readonly run: FinishedRun;
  readonly output: CapturedOutput;
}

export async function runDemonstration(
  config: Config,
  options: { readonly miners: number; readonly seed: number },
): Promise<TestDemonstration> {
  const output = captureOutput();
  const { signal } = new AbortController();
  return { run: await demonstrate({ ...options, config, output, signal }), output };
}
