import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctorCommand } from '#commands/doctor/doctor';
import { explainCommand } from '#commands/explain';
import { migrateCommand } from '#commands/migrate';
import { runCommand } from '#commands/run/run';
import type { ValidationReport } from '#commands/run/validation-report';
import type { AttemptTotals } from '#reports/attempt-totals';
import type { Explanation } from '#reports/explanation';
import { temporaryFolder } from '../support/temporary-folder.ts';
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
    BAROGRAPH_DELAY_FACTOR: '0.000001',
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
  it('barograph explain tells each step of the miner with its trace, in words and as the same facts in one document', async () => {
    const [miner] = report.miners;
    const words = await explain('--run', '1', '--miner', String(miner?.uid));
    expect(words).toMatchObject({ exitCode: 0, stderr: '' });
    expect(words.stdout).toContain(
      `(${miner?.hotkey ?? ''}) in run 1: completed, stage complete; has the score 0.`,
    );
    expect(words.stdout).toContain(`Trace: ${miner?.trace_id ?? ''}\n`);
    expect(words.stdout).toMatch(
      /scored against ERA5, lead 48 h \[attempt 1 of 5\]: succeeded, score 0\.\d{4}/,
    );
    expect(words.stdout).toMatch(
      /T[\d:.]+Z {6}initiate_fetch: succeeded, [\d.]+ ms {2}\(span [0-9a-f]{16}\)/,
    );
    const document = await explain('--run', '1', '--miner', miner?.hotkey ?? '', '--json');
    const explanation = JSON.parse(document.stdout) as Explanation & { readonly totals: AttemptTotals };
    expect(explanation).toMatchObject({
      run_id: 1,
      miner_hotkey: miner?.hotkey,
      forecast_status: 'completed',
    });
    const lines = words.stdout.split('\n').filter((line) => line.includes('(span '));
    expect(lines).toHaveLength(explanation.attempts.length);
    for (const { span_id: span } of explanation.attempts) expect(words.stdout).toContain(`(span ${span})`);
    expect(explanation.totals.attempts + explanation.totals.calls).toBe(explanation.attempts.length);
  });

  it.each([
    ['99', '0'],
    ['1', '77'],
    ['1', '5Nobody'],
  ])(
    'barograph explain says that of run %s and miner %s nothing was recorded, and how to see what was',
    async (run, miner) => {
      const { exitCode, stdout, stderr } = await explain('--run', run, '--miner', miner, '--json');
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(`Nothing was recorded of miner ${miner} in run ${run}.`);
      expect(stderr).toContain('from weather_forecast_stats');
    },
  );

  it('barograph explain refuses a run that is no number', async () => {
    const { exitCode, stderr } = await explain('--run', 'newest', '--miner', '1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/'newest' is invalid.*Allowed: a whole number from 1/);
  });
});

describe('barograph doctor', () => {
  const examine = (environment: Readonly<Record<string, string>> = {}, ...args: readonly string[]) =>
    invoke(doctorCommand(), args, { DATABASE_URL: database.connectionString, ...environment });

  it('barograph doctor finds nothing wrong here, and names the database by its address, for it speaks to its owner', async () => {
    const { exitCode, stdout, stderr } = await examine();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`at ${new URL(database.connectionString).host}/`);
    expect(stdout).not.toContain(new URL(database.connectionString).password);
    expect(stdout).not.toContain('NOT');
  });

  it('barograph doctor says how much waits in spools, and names what nobody can read', async () => {
    const directory = await temporaryFolder();
    const spool = join(directory, 'spool', 'somewhere');
    await mkdir(join(spool, 'instance-1'), { recursive: true });
    await writeFile(join(spool, 'instance-1', '0000000001.segment'), 'x'.repeat(2_500_000));
    expect((await examine({ BAROGRAPH_DATA_DIR: directory })).stdout).toMatch(
      /^ok +Spools +1 below .*, 2\.4 MiB$/m,
    );
    await mkdir(join(spool, 'instance-2.unreadable'));
    const { exitCode, stdout } = await examine({ BAROGRAPH_DATA_DIR: directory });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^NOT +Spools +1 below .*; look at .*instance-2\.unreadable/m);
  });

  it('barograph doctor says what to do where something is wrong, each by itself', async () => {
    const { exitCode, stdout } = await examine(
      { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:9/none', OTEL_SDK_DISABLED: 'true' },
      '--json',
    );
    expect(exitCode).toBe(1);
    const checks = JSON.parse(stdout) as readonly { name: string; ok: boolean; found: string }[];
    expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['PostgreSQL', 'OpenTelemetry']);
    expect(stdout).toMatch(/Start the server, or correct host and port/);
    expect(stdout).not.toContain('secret');
  });
});

describe('barograph migrate', () => {
  it('barograph migrate brings an empty database up to date, with the partitions that come next, and does nothing the second time', async () => {
    const empty = await createTestDatabase({ isEmpty: true });
    const migrateIt = () => invoke(migrateCommand(), [], { DATABASE_URL: empty.connectionString });
    expect((await migrateIt()).stdout).toMatch(/^applied 1 .*\n[\s\S]*The database is at version \d+\.\n$/);
    expect(
      (await empty.pool.query(`select from pg_class where relname ~ '_(finished|scores)_\\d{8}$'`)).rows,
    ).toHaveLength(4);
    expect((await migrateIt()).stdout).toMatch(/^The database is at version \d+\.\n$/);
    await empty.drop();
  });
});
