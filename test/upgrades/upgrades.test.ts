import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { doctorCommand } from '#commands/doctor/doctor';
import { migrateCommand } from '#commands/migrate';
import { migrate } from '#database/migrate';
import { countOutdated, rebuild, reconcile } from '#maintenance/maintenance';
import { jobPayloadSchema } from '#pipeline/queue/jobs';
import { JOBS_WITH_PAYLOAD } from '#pipeline/queue/private-tables';
import { migrateQueue } from '#pipeline/queue/worker';
import { replayEndsThen } from '#pipeline/step/span-end-outbox';
import { deferredSpanEnds } from '#recorder/deferred-span-ends';
import { spoolRoot } from '#recorder/process-spool';
import { startRecording } from '#recorder/recording';
import { readConfig } from '#src/config';
import { invoke } from '#test/commands/support/invoke';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { dumpTables } from '#test/support/tables';
import { readStoredVersion, restoreDatabase, restoreSpool } from './support/stored-version.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const ENDING = '.json.gz';
const VERSIONS = readdirSync(FIXTURES).filter((name) => name.endsWith(ENDING));
const EVERYTHING = { validatorHotkey: null, runId: null };

let database: TestDatabase;
let dataDirectory: string;
beforeEach(async () => {
  database = await createTestDatabase({ isEmpty: true });
  dataDirectory = await mkdtemp(join(tmpdir(), 'barograph-upgrade-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await database.drop();
  await rm(dataDirectory, { recursive: true, force: true });
});

/** Puts database and spool there as the version left them, an hour ago. */
async function restore(fixture: string): Promise<void> {
  const stored = await readStoredVersion(join(FIXTURES, fixture));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(stored.madeAt) + 3_600_000 });
  await restoreDatabase(database.pool, stored);
  const { connectionString } = database;
  const root = spoolRoot({ config: { dataDirectory }, database: { connectionString, kind: 'given' } });
  await restoreSpool(root, stored);
}

const environment = () => ({
  DATABASE_URL: database.connectionString,
  BAROGRAPH_DATA_DIR: dataDirectory,
  BAROGRAPH_METRICS_PORT: '0',
});

/** Starts the newest version until it has adopted the spool and computed what was outdated. */
async function recordUntilSettled(): Promise<{ readonly records: number; readonly problems: string[] }> {
  const problems: string[] = [];
  const recording = await startRecording({
    config: readConfig(environment()),
    validatorHotkey: 'first-validator',
    onProblem: (message) => problems.push(message),
  });
  const { records } = await recording.adopted;
  await expect.poll(() => countOutdated(database.pool), { timeout: 30_000 }).toBe(0);
  await recording.close();
  return { records, problems };
}

const rowsOf = async (pool: Pool, sql: string) => (await pool.query<Record<string, unknown>>(sql)).rows;

describe.each(VERSIONS)('an upgrade from %s', (fixture) => {
  it('a start alone adopts the spool, and every row is what a rebuild would give', async () => {
    await restore(fixture);
    const { records, problems } = await recordUntilSettled();
    expect(records).toBeGreaterThan(0);
    // A spool of before the newest record was noted cannot prove that its tail is whole.
    expect(problems).toEqual([
      expect.stringMatching(
        /was delivered\. Nothing says which record was the last one.*Its books stay open/,
      ),
    ]);
    expect(await reconcile(database.pool, EVERYTHING)).toMatchObject({ differenceCount: 0 });
    const upgraded = await dumpTables(database.pool);
    await rebuild(database.pool, EVERYTHING);
    expect(await dumpTables(database.pool)).toEqual(upgraded);
  });

  it('no record of any run is missing, and the run of the killed process has no step left open', async () => {
    await restore(fixture);
    await recordUntilSettled();
    expect(
      await rowsOf(
        database.pool,
        `select validator_hotkey, run_id::int, unaccounted::int, missing_sequences::int, in_flight::int
         from run_completeness order by 1, 2`,
      ),
    ).toEqual(
      [
        ['first-validator', 1],
        ['first-validator', 2],
        ['first-validator', 3],
        ['second-validator', 4],
      ].map(([validator_hotkey, run_id]) => ({
        ...{ validator_hotkey, run_id },
        ...{ unaccounted: 0, missing_sequences: null, in_flight: 0 },
      })),
    );
    expect(
      await rowsOf(database.pool, 'select id::int, status from weather_forecast_runs order by id'),
    ).toEqual([
      { id: 1, status: 'completed' },
      { id: 2, status: 'failed' },
      { id: 3, status: 'stale_abandoned' },
      { id: 4, status: 'awaiting_results' },
    ]);
  });

  it('the ends that the version stored in jobs are recorded when the jobs are delivered', async () => {
    await restore(fixture);
    const recording = await startRecording({
      config: readConfig(environment()),
      validatorHotkey: 'second-validator',
      onProblem: () => undefined,
    });
    await recording.adopted;
    await migrateQueue(database.pool);
    const jobs = (
      await database.pool.query<{ id: number; payload: unknown }>(
        `select id::float8, payload from ${JOBS_WITH_PAYLOAD} as job order by id`,
      )
    ).rows.map(({ id, payload }) => ({ id, endInPayload: jobPayloadSchema.parse(payload).end }));
    const withEnd = jobs.filter(({ endInPayload }) => endInPayload !== undefined);
    expect(withEnd.length).toBeGreaterThan(0);
    await database.pool.query(`delete from weather_forecast_steps_finished where job_id = any ($1)`, [
      withEnd.map(({ id }) => id),
    ]);
    const parts = { pool: database.pool, ends: deferredSpanEnds(recording) };
    for (const { id: queueJobId, endInPayload } of withEnd)
      await replayEndsThen(parts, { queueJobId, deliveries: 2, endInPayload }, () => Promise.resolve());
    await recording.close();
    expect(
      await rowsOf(
        database.pool,
        `select job_id::float8 as id from weather_forecast_steps_finished
         where job_id in (${withEnd.map(({ id }) => id).join(', ')}) and step_name = 'era5' order by job_id`,
      ),
    ).toEqual(withEnd.map(({ id }) => ({ id })));
  });

  it('forecasts that a run without GFS ended are excused, which the version did not know', async () => {
    await restore(fixture);
    await recordUntilSettled();
    const stats = await rowsOf(
      database.pool,
      `select forecast_status, last_error_fault from weather_forecast_stats where run_id = 2`,
    );
    expect(stats.length).toBeGreaterThan(0);
    for (const row of stats) expect(row).toEqual({ forecast_status: 'failed', last_error_fault: 'upstream' });
    expect(
      await rowsOf(database.pool, 'select sum(excused_forecasts)::int as excused from miner_stats'),
    ).not.toEqual([{ excused: 0 }]);
  });

  it('the doctor finds nothing wrong after the start', async () => {
    await restore(fixture);
    await recordUntilSettled();
    // The process that was killed has its spool elsewhere, which is told for a week.
    await database.pool.query('update emitters set closed_at = now() where closed_at is null');
    const { exitCode, stdout } = await invoke(doctorCommand(), [], environment());
    expect(stdout).not.toMatch(/^NOT/m);
    expect(exitCode).toBe(0);
  });

  it('migrate computes the rows as well, tells how far it is, and has nothing to do a second time', async () => {
    await restore(fixture);
    const first = await invoke(migrateCommand(), [], environment());
    expect(first.stdout).toMatch(/computed the rows of \d+ runs and validators again from the log/);
    expect(first.stderr).toContain('0 runs and validators left');
    expect(await reconcile(database.pool, EVERYTHING)).toMatchObject({ differenceCount: 0 });
    const second = await invoke(migrateCommand(), [], environment());
    expect(second.stdout).toMatch(/^The database is at version \d+\.\n$/);
  });

  it('the migrations alone leave differences, so that this test can fail, and the doctor says what to do', async () => {
    await restore(fixture);
    await migrate(database.pool);
    const { differenceCount } = await reconcile(database.pool, EVERYTHING);
    expect(differenceCount).toBeGreaterThan(0);
    const { exitCode, stdout } = await invoke(doctorCommand(), [], environment());
    expect(stdout).toMatch(/^NOT\s+Rows .*`barograph migrate` does so at once/m);
    expect(exitCode).toBe(1);
  });
});
