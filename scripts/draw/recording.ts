import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Output } from '#commands/terminal/output';
import { runOnStores, type FinishedRun } from '#commands/run/run-on-stores';
import { readConfig } from '#src/config';
import { createDatabasePool } from '#database/connect';
import { startEmbeddedPostgres } from '#database/embedded';
import { findFreePort, LOOPBACK } from '#database/embedded/free-port';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { makeDemonstrationWorld } from '#world';
import { allowReader } from '../dashboards/reader.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';

const DAY_MILLIS = 86_400_000;
const MINERS = 16;
/** Runs that have ended when the last one begins. */
const ENDED_RUNS = 5;
/** Fifteen days become a second and a bit for those, and twenty for the run that is shown half-way. */
const ENDED_DELAY_FACTOR = '0.000001';
const SHOWN_DELAY_FACTOR = '0.000015';
const LOOK_MILLIS = 300;
/** Half-way: leads of the open run are scored, others wait for truth, and a miner holds up a step; later it is too late. */
const IS_HALF_WAY = `
  select exists (
    select from weather_forecast_runs as run join run_progress as progress
      on (progress.validator_id, progress.run_id) = (run.validator_id, run.id)
    where run.completion_time is null and (progress.leads_scored > 0.6 * progress.leads_expected
      or (progress.leads_scored > 0.1 * progress.leads_expected and exists (
        select from stuck_steps as stuck
        where (stuck.validator_id, stuck.run_id) = (run.validator_id, run.id) and stuck.status <> 'waiting_for_truth'))))
    as "isHalfWay"`;
/** The miners are the same in all runs, the weather is not. */
const SEED = 7;

/** What was recorded, while its last run is half-way. */
export interface Recording {
  readonly pool: Pool;
  readonly prometheus: Prometheus;
  /** When the first run began. */
  readonly from: Date;
}

const SILENT: Output = {
  result: () => undefined,
  progress: () => undefined,
  problem: (text) => console.log(text),
  ending: () => undefined,
};

/** Records ended runs and one that is half-way, lets the use look at them, and removes all of it. */
export async function withRecording<Result>(use: (recording: Recording) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-draw-'));
  const resources: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const server = await startEmbeddedPostgres(join(folder, 'postgres'), { settings: { fsync: 'off' } });
    resources.push(() => server.stop());
    const port = await findFreePort();
    const prometheus = await startPrometheus(folder, `${LOOPBACK}:${port}`);
    resources.push(() => prometheus.close());
    const from = new Date();
    const run = (daysAgo: number, factor: string, signal: AbortSignal) =>
      recordRun({ folder, databaseUrl: server.connectionString, port, daysAgo, factor, signal });
    const { signal } = new AbortController();
    for (let day = ENDED_RUNS; day > 0; day -= 1) await (await run(day, ENDED_DELAY_FACTOR, signal)).close();
    const pool = createDatabasePool(server.connectionString);
    resources.push(() => pool.end());
    await allowReader(pool);
    const aborting = new AbortController();
    const shown = run(0, SHOWN_DELAY_FACTOR, aborting.signal).catch(() => null);
    resources.push(async () => {
      aborting.abort(new Error('The run is drawn.'));
      await (await shown)?.close();
    });
    await untilHalfWay(pool);
    return await use({ pool, prometheus, from });
  } finally {
    for (const close of resources.reverse()) await close();
  }
}

interface RunToRecord {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly port: number;
  /** T0 lies as many days before today. */
  readonly daysAgo: number;
  readonly factor: string;
  readonly signal: AbortSignal;
}

async function recordRun({
  folder,
  databaseUrl,
  port,
  daysAgo,
  factor,
  signal,
}: RunToRecord): Promise<FinishedRun> {
  const initTime = new Date((Math.floor(Date.now() / DAY_MILLIS) - daysAgo) * DAY_MILLIS);
  const directory = join(folder, `world-${daysAgo}`);
  const stores = await makeDemonstrationWorld({ initTime, seed: SEED + daysAgo, directory });
  console.log(`records the run of ${initTime.toISOString()} …`);
  return runOnStores({
    config: readConfig({
      DATABASE_URL: databaseUrl,
      BAROGRAPH_DATA_DIR: join(folder, 'data'),
      BAROGRAPH_METRICS_PORT: String(port),
      BAROGRAPH_DELAY_FACTOR: factor,
    }),
    ...{ stores, initTime, signal, miners: MINERS, seed: SEED, output: SILENT },
    ...{ leads: ERA5_LEAD_HOURS, day1Lead: DAY1_LEAD_HOURS },
  });
}

async function untilHalfWay(pool: Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ isHalfWay: boolean }>(IS_HALF_WAY);
    if (rows[0]?.isHalfWay === true) return;
    await delay(LOOK_MILLIS);
  }
}
