import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SHORT_DELAYS } from '#test/support/short-delays';
import { startProgram, type RunningProgram } from '../commands/support/program.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const start = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningProgram =>
  startProgram('start-command', ['--miners', '2', ...args], {
    DATABASE_URL: database.connectionString,
    ...environment,
  });

/** Long enough that the run is under way when it is interrupted; the end of the test ends it. */
const LASTING = { BAROGRAPH_DELAY_FACTOR: '0.01' };

async function theOnly(sql: string): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query<Record<string, unknown>>(sql);
  expect(rows).toHaveLength(1);
  return rows[0] ?? {};
}

/** Nobody of a program that ended may be connected still. */
const connected = `select count(*)::int as connections from pg_stat_activity
  where datname = current_database() and application_name in ('barograph-pipeline', 'barograph-recorder')`;

describe('an interrupted demonstration', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'a demonstration stopped by %s ends with exit code %i, and its run is recorded as abandoned',
    async (signal, code) => {
      const program = start(['--once'], LASTING);
      await program.untilStderrMatches(/run \d+ of demonst… awaiting results/);
      program.kill(signal);
      const { exitCode, stdout, stderr } = await program.ended;
      expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
      expect(stderr).toContain(`Ended by ${signal} before the work was done.`);
      expect(await theOnly('select status from pipeline.runs')).toEqual({ status: 'stale_abandoned' });
      expect(await theOnly('select status, error_message from weather_forecast_runs')).toEqual({
        status: 'stale_abandoned',
        error_message: 'The user ended it before its time.',
      });
      expect(await theOnly('select in_flight::int from run_completeness')).toEqual({ in_flight: 0 });
      expect(await theOnly(connected)).toEqual({ connections: 0 });
    },
  );

  it('a demonstration stopped while it only serves its records ends with exit code 0', async () => {
    const program = start([], SHORT_DELAYS);
    await program.untilStderrMatches(/Still serving\. Ctrl-C ends it\./);
    program.kill('SIGINT');
    const { exitCode, stdout } = await program.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Run 1 of validator demonstration-validator, T0 .*: completed in /);
    expect(await theOnly(connected)).toEqual({ connections: 0 });
  });
});

describe('a demonstration after one that was killed', () => {
  it('the run of the killed demonstration is abandoned, and a new run completes', async () => {
    const killed = start(['--once'], LASTING);
    await killed.untilStderrMatches(/run 1 of demonst… awaiting results/);
    killed.kill('SIGKILL');
    await killed.ended;
    const { exitCode } = await start(['--once', '--json'], SHORT_DELAYS).ended;
    expect(exitCode).toBe(0);
    const { rows } = await database.pool.query('select run_id, status from pipeline.runs order by run_id');
    expect(rows).toEqual([
      { run_id: 1, status: 'stale_abandoned' },
      { run_id: 2, status: 'completed' },
    ]);
  });
});

describe('a demonstration beside another one on the same database', () => {
  it('a second demonstration on one database is refused with the remedy', async () => {
    const first = start(['--once'], LASTING);
    await first.untilStderrMatches(/run 1 of demonst… awaiting results/);
    const second = await start(['--once', '--json'], SHORT_DELAYS).ended;
    expect(second).toMatchObject({ exitCode: 1, stdout: '' });
    expect(second.stderr).toContain('Another process works on the runs of this database');
    expect(second.stderr).toContain('use another database');
    first.kill('SIGINT');
    expect((await first.ended).exitCode).toBe(130);
    expect(await theOnly('select run_id from pipeline.runs')).toEqual({ run_id: 1 });
  });
});
