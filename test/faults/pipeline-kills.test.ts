import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fleet } from '#fleet';
import { reconcile } from '#maintenance/maintenance';
import { createRandom, deriveSeed } from '#world';
import { VALIDATOR } from '../pipeline/support/tiny-world.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { CONTROL_TABLES, findUnplaced, readCompared, RECORDED_TABLES } from './support/compared-tables.ts';
import { FAULT_MINERS, FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';
import { killAgainAndAgain, type KillReport } from './support/kill-again-and-again.ts';
import { makeSimulatedDay, type SimulatedDay } from './support/simulated-day.ts';
import { startWorkerProcess, type Work } from './support/worker-process.ts';

const KILLS = wholeNumberOf('BAROGRAPH_FAULT_PIPELINE_KILLS', 5);
/** How long the run goes on for each kill, at least: a start, a life, and the time until its steps are taken up. */
const SECONDS_A_KILL = 1.5;
/** ERA5 of the last lead is due ten days after that of the first: kills must hit in between, all of them. */
const DISTURBED_DELAY_FACTOR = Math.max(1e-5, (KILLS * SECONDS_A_KILL) / (10 * 86_400));
const RECOVERY = { checkMillis: 500, graceMillis: 1000 };

/** A run of one day: in a database of its own, with miners of its own. */
interface Scene {
  readonly database: TestDatabase;
  readonly fleet: Fleet;
  readonly work: Work;
}

let day: SimulatedDay;
let undisturbed: Scene;
let disturbed: Scene;
let report: KillReport;

async function openScene(name: string, delayFactor: number): Promise<Scene> {
  const [database, fleet] = [await createTestDatabase(), await day.openFleet()];
  const miners = fleet.miners.map(({ uid, hotkey, baseUrl }) => ({ uid, hotkey, baseUrl }));
  const work = {
    databaseUrl: database.connectionString,
    dataDirectory: join(day.folder, name),
    validatorHotkey: VALIDATOR,
    world: day.world,
    initTime: day.initTime.toISOString(),
    miners,
    delayFactor,
    recovery: RECOVERY,
  };
  return { database, fleet, work };
}

const log = (text: string): void => console.info(text);
const secondsSince = (start: number): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;

beforeAll(async () => {
  const start = performance.now();
  day = await makeSimulatedDay({ seed: FAULT_SEED, miners: FAULT_MINERS });
  log(
    `Seed ${FAULT_SEED}, miners ${FAULT_MINERS}, kills ${KILLS}; the world was made in ${secondsSince(start)}.`,
  );
  undisturbed = await openScene('undisturbed', 1e-6);
  const undisturbedStart = performance.now();
  const worker = startWorkerProcess(undisturbed.work);
  expect({ exitCode: await worker.ended, stderr: worker.stderr() }).toEqual({ exitCode: 0, stderr: '' });
  log(`The undisturbed run took ${secondsSince(undisturbedStart)}.`);
  disturbed = await openScene('disturbed', DISTURBED_DELAY_FACTOR);
  const disturbedStart = performance.now();
  const random = createRandom(deriveSeed(FAULT_SEED, 'pipeline kills'));
  report = await killAgainAndAgain({
    work: disturbed.work,
    pool: disturbed.database.pool,
    kills: KILLS,
    random,
  });
  log(`The run with ${report.kills} kills took ${secondsSince(disturbedStart)}. ${describeKills(report)}`);
});
afterAll(async () => {
  for (const { fleet, database } of [undisturbed, disturbed]) {
    await fleet.close();
    await database.drop();
  }
  await day.remove();
});

function describeKills({ kinds, steps, committed }: KillReport): string {
  const named = [...kinds].map(([step, kills]) => `${step} ${kills}`).toSorted();
  return `Kills in the middle of: ${named.join(', ')}. Steps under way: ${steps}, of which had committed: ${committed}.`;
}

/** How many rows a query of the disturbed run gives. */
const count = async (sql: string): Promise<number | null> =>
  (await disturbed.database.pool.query(sql)).rowCount;

describe('a worker that is killed repeatedly', () => {
  it('the worker was killed the configured number of times, in different steps', () => {
    expect(report.kills).toBe(KILLS);
    expect(report.steps).toBeGreaterThanOrEqual(KILLS);
    expect(report.kinds.size).toBeGreaterThanOrEqual(Math.min(KILLS, 2));
  });

  it('no run hangs, and no job, stored span end or waiting state is left', async () => {
    expect(await count(`select from pipeline.runs where status = 'completed'`)).toBe(1);
    expect(await count('select from pipeline.runs')).toBe(1);
    expect(await count('select from pipeline.jobs')).toBe(0);
    expect(await count('select from pipeline.span_ends')).toBe(0);
    expect(
      await count(`select from pipeline.leads as lead join pipeline.run_miners using (run_id, miner_uid)
        where run_miners.state = 'completed' and lead.state not in ('scored', 'failed')`),
    ).toBe(0);
  });

  it('a crash uses no attempt: nothing failed because its worker crashed', async () => {
    expect(
      await count(`select from pipeline.run_miners where failure_category = 'process_crash'
        union all select from pipeline.leads where failure_category = 'process_crash'`),
    ).toBe(0);
  });

  it.each(CONTROL_TABLES)(
    'the control table $table equals that of a run without a crash',
    async (compared) => {
      expect(await findUnplaced(disturbed.database.pool, compared)).toEqual([]);
      const expected = await readCompared(undisturbed.database.pool, compared);
      expect(await readCompared(disturbed.database.pool, compared)).toEqual(expected);
    },
  );

  it('nothing is scored twice: each component of each lead has one row', async () => {
    expect(
      await count(`select from weather_forecast_component_scores
        group by run_id, miner_hotkey, score_type, lead_hours, variable_name, pressure_level having count(*) > 1`),
    ).toBe(0);
  });

  it.each(RECORDED_TABLES)(
    'every column of $table is either compared or listed as excluded',
    async (compared) => {
      expect(await findUnplaced(disturbed.database.pool, compared)).toEqual([]);
    },
  );

  it('the projections equal a rebuild from the log byte by byte after the crashes', async () => {
    const request = { validatorHotkey: null, runId: null };
    const { differenceCount } = await reconcile(disturbed.database.pool, request);
    expect(differenceCount).toBe(0);
  });

  it.each(RECORDED_TABLES)(
    'the recorded table $table equals that of a run without a crash',
    async (compared) => {
      const expected = await readCompared(undisturbed.database.pool, compared);
      expect(await readCompared(disturbed.database.pool, compared)).toEqual(expected);
    },
  );
});
