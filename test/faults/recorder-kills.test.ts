import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcile } from '#maintenance/maintenance';
import { createRandom, deriveSeed } from '#world';
import { testDataDirectory } from '../support/data-directory.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';
import { startRecorderProcess, type RecordingLoad } from './support/recorder-process.ts';

const KILLS = wholeNumberOf('BAROGRAPH_FAULT_RECORDER_KILLS', 10);
/** How long a process records before it is killed, ms at most. */
const LONGEST_LIFE_MILLIS = 600;

let database: TestDatabase;
const acknowledged = new Set<string>();
/** Exit code and standard error of the process that adopted the last spool. */
let recoveryEnd: { readonly exitCode: number | null; readonly stderr: string };

beforeAll(async () => {
  database = await createTestDatabase();
  const random = createRandom(deriveSeed(FAULT_SEED, 'recorder kills'));
  const load: RecordingLoad = {
    databaseUrl: database.connectionString,
    dataDirectory: join(testDataDirectory(), 'recorder-kills'),
    seed: FAULT_SEED,
    inFlight: 16,
    commandedInFlight: 0,
    stepMillis: 20,
    spoolLimitMib: 64,
  };
  const start = performance.now();
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const recorder = startRecorderProcess({ ...load, seed: FAULT_SEED + kill });
    await recorder.started;
    await sleep(random() * LONGEST_LIFE_MILLIS);
    expect(await recorder.kill('SIGKILL'), recorder.stderr()).toBeNull();
    for (const spanId of recorder.acknowledged.keys()) acknowledged.add(spanId);
  }
  const successor = startRecorderProcess({ ...load, inFlight: 0 });
  successor.endInput();
  recoveryEnd = { exitCode: await successor.ended, stderr: successor.stderr() };
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { rows } = await database.pool.query<Record<string, string>>(
    `select count(*) as steps, count(*) filter (where status = 'abandoned') as abandoned,
       count(distinct instance_id) as processes from weather_forecast_steps`,
  );
  console.info(
    `Seed ${FAULT_SEED}: ${KILLS} kills in ${seconds} s, steps acknowledged ${acknowledged.size}, ` +
      `recorded ${rows[0]?.['steps']}, of which abandoned ${rows[0]?.['abandoned']}, processes ${rows[0]?.['processes']}.`,
  );
});
afterAll(() => database.drop());

const all = async <Row extends object>(sql: string): Promise<readonly Row[]> =>
  (await database.pool.query<Row>(sql)).rows;

describe('a recording process that is killed repeatedly', () => {
  it('every incarnation acknowledged steps, so that the tests below prove something', () => {
    expect(acknowledged.size).toBeGreaterThan(KILLS * 10);
  });

  it('no acknowledged step is lost', async () => {
    const rows = await all<{ id: string }>(
      `select span_id as id from weather_forecast_steps_finished where status <> 'abandoned'`,
    );
    const recorded = new Set(rows.map(({ id }) => id));
    expect([...acknowledged].filter((id) => !recorded.has(id))).toEqual([]);
  });

  it('no step is counted twice', async () => {
    expect(
      await all(`select span_id from weather_forecast_steps group by trace_id, span_id having count(*) > 1`),
    ).toEqual([]);
    const [counted] = await all(
      `select (select sum(hosting_successes + hosting_failures)::int from miner_stats) as folded,
         (select count(*)::int from weather_forecast_steps
          where step_name = 'communication' and status not in ('abandoned', 'in_progress')) as logged`,
    );
    expect(counted).toEqual({
      folded: expect.any(Number) as number,
      logged: (counted as { folded: number }).folded,
    });
  });

  it('the projections equal a rebuild from the log byte by byte after the kills', async () => {
    const { differenceCount, rows } = await reconcile(database.pool, { validatorHotkey: null, runId: null });
    expect(differenceCount).toBe(0);
    expect(rows).toMatchObject({ weather_forecast_runs: 3, weather_forecast_stats: 24, miner_stats: 8 });
  });

  it('no step stays running: each that never ended is closed as abandoned', async () => {
    expect(await all('select from weather_forecast_steps_running')).toEqual([]);
    const [row] = await all<{ abandoned: number }>(
      `select count(*)::int as abandoned from weather_forecast_steps where status = 'abandoned'`,
    );
    expect(row?.abandoned).toBeGreaterThan(0);
  });

  it('the books prove that nothing is missing, by process and by run', async () => {
    expect(
      await all(`select instance_id, missing::text, spooled, closed_at is null as is_open from emitter_books
        where not isempty(missing) or spooled <> 0 or closed_at is null or conflict is not null`),
    ).toEqual([]);
    const runs = await all<{ unaccounted: number }>('select * from run_completeness');
    expect(runs).toHaveLength(3);
    for (const run of runs)
      expect(run).toMatchObject({
        unaccounted: 0,
        in_flight: 0,
        spooled: 0,
        dropped: 0,
        dead: 0,
        missing_sequences: null,
        emitter_conflicts: null,
      });
  });

  it('every spool is adopted without a warning: no record is damaged', () => {
    expect(recoveryEnd).toEqual({ exitCode: 0, stderr: '' });
  });

  it('no spool is left', async () => {
    const root = join(testDataDirectory(), 'recorder-kills', 'spool');
    for (const target of await readdir(root)) expect(await readdir(join(root, target))).toEqual([]);
  });
});
