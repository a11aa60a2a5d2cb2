import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet } from '#fleet';
import { createPipeline } from '#pipeline';
import { createMinerClient } from '#pipeline/miners/index';
import { createPostgresExporter } from '#postgres/exporter';
import { toObservedSpan } from '#processor/observed-span';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { captureSpans } from './support/captured-spans.ts';
import { ALL_LEADS, DAY1_LEAD, tinyStores } from './support/pipeline-bench.ts';
import { INIT_TIME, tinyFiles, VALIDATOR, type TinyStore } from './support/tiny-world.ts';

const spans = captureSpans();

/** The forecasts that the miners of the fleet hand in, by UID. */
const FORECASTS: readonly Partial<TinyStore>[] = [
  {},
  { nanEvery: 1 },
  { nanIn: ['z850'] },
  { without: ['msl'] },
  { scale: { '10u': 1e14 } },
];
const [GOOD, ALL_NAN, BAD_LEVEL, WITHOUT_VARIABLE, EXTREME] = FORECASTS.keys();

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const fleet = await startFleet({
    count: FORECASTS.length,
    seed: 3,
    initTime: INIT_TIME,
    delayFactor: 1e-3,
    profiles: FORECASTS.map(() => 'nan'),
    forecastFor: ({ uid }) => tinyFiles({ leads: ALL_LEADS, error: 0.1, phase: 1, ...FORECASTS[uid] }),
  });
  const minerClient = createMinerClient();
  const pipeline = createPipeline({
    connectionString: database.connectionString,
    delayFactor: 1e-4,
    queuePollMillis: 20,
    minerClient,
    stores: await tinyStores(),
  });
  const runId = await pipeline.createRun({
    validatorHotkey: VALIDATOR,
    initTime: INIT_TIME,
    miners: fleet.miners,
    leads: [24, 48],
    day1Lead: DAY1_LEAD,
  });
  await pipeline.start();
  await pipeline.finished(runId);
  await pipeline.stop();
  await fleet.close();
  await minerClient.close();
  const observed = spans.of().map((span) => toObservedSpan(span, 'ended'));
  const exporter = createPostgresExporter({ pool: database.pool });
  expect(await exporter.exportObserved(observed)).toEqual({ kind: 'written' });
});
afterAll(() => database.drop());

/** Which variables and levels of which leads were bad, and the category of each lead without a score. */
async function recordOf(uid: number | undefined) {
  const bad = await database.pool.query<{ line: string }>(
    `select concat(lead_hours, ' ', variable_name, pressure_level, ' ', failed_check) as line from failed_checks
     where miner_uid = $1 order by lead_hours, variable_name collate "C", pressure_level`,
    [uid],
  );
  const missing = await database.pool.query<{ line: string }>(
    `select concat_ws(' ', score_type, lead_hours, error_type) as line from missing_scores
     where miner_uid = $1 order by 1`,
    [uid],
  );
  return { bad: bad.rows.map(({ line }) => line), missing: missing.rows.map(({ line }) => line) };
}

describe('the failed checks of the forecasts of a fleet', () => {
  it('a good forecast has none', async () => {
    expect(await recordOf(GOOD)).toEqual({ bad: [], missing: [] });
  });

  it('of an all-NaN forecast one query names every field of every lead', async () => {
    const surface = ['10u', '2t', 'msl'];
    const { bad, missing } = await recordOf(ALL_NAN);
    expect(bad).toEqual([
      ...[...surface, 'z500'].map((field) => `12 ${field} coverage`),
      ...[24, 48].flatMap((lead) => [...surface, 'z500', 'z850'].map((field) => `${lead} ${field} coverage`)),
    ]);
    expect(missing).toEqual(['day1 data_coverage', 'era5 24 data_coverage', 'era5 48 data_coverage']);
  });

  it('one bad level is named alone, and day one, which does not look at it, is scored', async () => {
    expect(await recordOf(BAD_LEVEL)).toEqual({
      bad: ['24 z850 coverage', '48 z850 coverage'],
      missing: ['era5 24 data_coverage', 'era5 48 data_coverage'],
    });
  });

  it('a missing variable is named on every lead, and no score is missing for it', async () => {
    expect(await recordOf(WITHOUT_VARIABLE)).toEqual({
      bad: ALL_LEADS.map((lead) => `${lead} msl missing_variable`),
      missing: [],
    });
  });

  it('extreme values are named apart from missing ones', async () => {
    expect(await recordOf(EXTREME)).toEqual({
      bad: ALL_LEADS.map((lead) => `${lead} 10u extreme_value`),
      missing: ['era5 24 data_extreme', 'era5 48 data_extreme'],
    });
  });

  it('a forecast without any ERA5 score has the averages of day one, or none', async () => {
    const { rows } = await database.pool.query<{ uid: number; matches: boolean | null }>(
      `select forecast.miner_uid as uid, abs(forecast.avg_rmse - avg(score.rmse)) < 1e-9 as matches
       from weather_forecast_stats as forecast
       left join weather_forecast_component_scores as score
         on score.miner_hotkey = forecast.miner_hotkey and score.score_type = 'day1'
       where forecast.era5_scored_leads = 0 group by forecast.miner_uid, forecast.avg_rmse order by 1`,
    );
    expect(rows).toEqual([
      { uid: ALL_NAN, matches: null },
      { uid: BAD_LEVEL, matches: true },
      { uid: EXTREME, matches: true },
    ]);
  });
});
