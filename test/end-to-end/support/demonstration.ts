import { demonstrate } from '../../../src/commands/demonstration.ts';
import type { FinishedRun } from '../../../src/commands/run-on-stores.ts';
import { testDataDirectory } from '../../support/data-directory.ts';
import { readConfig, type Config } from '../../../src/config.ts';
import { captureOutput, type CapturedOutput } from '../../commands/support/captured-output.ts';

/** Fifteen days of waiting become a second and a bit. */
const DELAY_FACTOR = '0.000001';

/** The configuration of a test: its database, any free port, hurried, and nothing else of this machine. */
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
