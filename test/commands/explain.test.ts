import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHORT_DELAYS } from '#test/support/short-delays';
import { explainCommand } from '#commands/explain';
import { runCommand } from '#commands/run/run';
import type { ValidationReport } from '#commands/run/validation-report';
import type { AttemptTotals } from '#reports/attempt-totals';
import type { Explanation } from '#reports/explanation';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { invoke, type Invocation } from './support/invoke.ts';
import { toArguments, writeTinyWorld } from './support/tiny-stores.ts';

let folder: string;
let database: TestDatabase;
let report: ValidationReport;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-test-'));
  database = await createTestDatabase();
  const ended = await invoke(runCommand(), toArguments(await writeTinyWorld(folder)), {
    DATABASE_URL: database.connectionString,
    ...SHORT_DELAYS,
  });
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  report = JSON.parse(ended.stdout) as ValidationReport;
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const explain = (...args: readonly string[]): Promise<Invocation> =>
  invoke(explainCommand(), args, { DATABASE_URL: database.connectionString });

describe('barograph explain', () => {
  it('each step of the miner is printed with its trace, and --json holds the same facts', async () => {
    const [miner] = report.miners;
    const words = await explain('--run', '1', '--miner', String(miner?.uid));
    expect(words).toMatchObject({ exitCode: 0, stderr: '' });
    expect(words.stdout).toContain(
      `(${miner?.hotkey ?? ''}) in run 1 of validator demonstration-validator: completed, stage complete; has the score 0.`,
    );
    expect(words.stdout).toContain(`Trace: ${miner?.trace_id ?? ''} (not sampled: no trace store has it)\n`);
    expect(words.stdout).toMatch(
      /scored against ERA5, lead 48 h \[attempt 1 of 5\]: succeeded, score 0\.\d{4}/,
    );
    expect(words.stdout).toMatch(
      /T[\d:.]+Z {6}initiate_fetch: succeeded, [\d.]+ ms {2}\(span [0-9a-f]{16}\)/,
    );
    const json = await explain('--run', '1', '--miner', miner?.hotkey ?? '', '--json');
    const document = JSON.parse(json.stdout) as Explanation & { readonly totals: AttemptTotals };
    expect(document).toMatchObject({
      validator_hotkey: 'demonstration-validator',
      run_id: 1,
      miner_hotkey: miner?.hotkey,
      forecast_status: 'completed',
    });
    const lines = words.stdout.split('\n').filter((line) => line.includes('(span '));
    expect(lines).toHaveLength(document.attempts.length);
    for (const { span_id: span } of document.attempts) expect(words.stdout).toContain(`(span ${span})`);
    expect(document.totals.attempts + document.totals.calls).toBe(document.attempts.length);
  });

  it.each([
    ['99', '0'],
    ['1', '77'],
    ['1', '5Nobody'],
  ])(
    'run %s and miner %s without records are an error that names the query of recorded ones',
    async (run, miner) => {
      const { exitCode, stdout, stderr } = await explain('--run', run, '--miner', miner, '--json');
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(`Nothing was recorded of miner ${miner} in run ${run}`);
      expect(stderr).toContain('from weather_forecast_stats');
    },
  );

  it('a run id that is no number is refused', async () => {
    const { exitCode, stderr } = await explain('--run', 'newest', '--miner', '1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/'newest' is invalid.*Allowed: a whole number from 1/);
  });
});
