import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedRun } from '#commands/run/run-on-stores';
import type { ValidationReport } from '#commands/run/validation-report';
import { PROFILES, type Profile } from '#fleet';
import { ERA5_LEAD_HOURS } from '#semconv';
import { RECORDED_TABLES, dumpTables } from '../support/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { runDemonstration, testConfig, type TestDemonstration } from './support/demonstration.ts';

const HONEST: readonly (string | null | undefined)[] = ['good', 'slow', 'flaky', 'copying'];
const ERROR_OF: Partial<Record<Profile, string>> = {
  offline: 'connection',
  rejecting: 'rejected_identity',
  failing: 'miner_inference',
  tampering: 'verification_chunk',
  nan: 'data_coverage',
};

let database: TestDatabase;
let shown: TestDemonstration;
let run: FinishedRun;
let report: ValidationReport;
beforeAll(async () => {
  database = await createTestDatabase();
  shown = await runDemonstration(testConfig(database.connectionString), { miners: 16, seed: 1 });
  ({ run } = shown);
  ({ report } = run);
}, 120_000);
afterAll(async () => {
  await run.close();
  await database.drop();
});

const minersThat = (...profiles: readonly (string | null | undefined)[]) =>
  report.miners.filter(({ profile }) => profiles.includes(profile));

async function rowsOf<Row extends object>(sql: string): Promise<Row[]> {
  return (await database.pool.query<Row>(sql, [report.run.id])).rows;
}

describe('a demonstration with 16 miners', () => {
  it('the run completes with every profile present and every miner in a terminal state with a reason', () => {
    expect(report.run).toMatchObject({ status: 'completed', error: null });
    expect(report.miners).toHaveLength(16);
    expect(new Set(report.miners.map(({ profile }) => profile))).toEqual(new Set(PROFILES));
    for (const miner of report.miners) {
      expect(['completed', 'failed']).toContain(miner.forecast_status);
      if (miner.forecast_status === 'failed') expect(miner.last_error).toEqual(expect.any(String));
    }
  });

  it('every lead and day one is scored for miners that deliver their forecast', () => {
    const honest = minersThat(...HONEST);
    expect(honest.length).toBeGreaterThanOrEqual(11);
    for (const miner of honest) {
      expect(miner).toMatchObject({ forecast_status: 'completed', stage: 'complete', era5_completeness: 1 });
      expect(Object.values(miner.era5_scores).filter((score) => score !== null)).toHaveLength(10);
      expect(miner.day1_score).toEqual(expect.any(Number));
      expect(miner.overall_forecast_score).toEqual(expect.any(Number));
      expect(miner.missing_variables).toEqual([]);
    }
  });

  it('only failed requests are retried, and good miners are never late', () => {
    for (const miner of minersThat('good', 'slow', 'copying')) {
      expect(miner).toMatchObject({ retries: 0, last_error: null });
    }
    for (const miner of minersThat('flaky')) expect(miner.retries).toBeGreaterThan(0);
  });

  it('each fault has its own error category', () => {
    for (const [profile, category] of Object.entries(ERROR_OF)) {
      const miners = minersThat(profile);
      expect(miners.map((miner) => [miner.forecast_status, miner.error_type])).toEqual(
        miners.map(() => ['failed', category]),
      );
    }
  });

  it('each bad field of a NaN forecast is named, lead by lead, and every other field of it has scores', async () => {
    const [nan] = minersThat('nan');
    const leads = await rowsOf<{
      hotkey: string;
      lead: number;
      fields: number;
      bad: number;
      checks: string[];
    }>(
      `select miner_hotkey as hotkey, lead_hours as lead, count(*)::int as fields, count(failed_check)::int as bad,
         array_remove(array_agg(distinct failed_check), null) as checks
       from weather_forecast_component_scores as score where run_id = $1 and score_type = 'era5'
       group by 1, 2 having bool_or(failed_check is not null) order by 2`,
    );
    expect(leads.map(({ hotkey, lead }) => [hotkey, lead])).toEqual(
      ERA5_LEAD_HOURS.map((lead) => [nan?.hotkey, lead]),
    );
    for (const { fields, bad, checks } of leads) {
      expect([fields, checks]).toEqual([19, ['coverage']]);
      expect(bad).toBeGreaterThan(1);
      expect(bad).toBeLessThan(fields);
    }
    expect(
      await rowsOf(
        `select miner_uid from weather_forecast_component_scores
         where run_id = $1 and (failed_check = 'coverage') <> (rmse is null)`,
      ),
    ).toEqual([]);
  });

  it('a copied reference ranks below every good forecast on day one, by its clone penalty', async () => {
    const [copying] = minersThat('copying');
    const best = Math.min(...minersThat('good', 'slow', 'flaky').map(({ day1_score: score }) => score ?? 0));
    expect(copying?.day1_score).toBeLessThan(best);
    const rows = await rowsOf<{ hotkey: string; penalty: number }>(
      `select miner_hotkey as hotkey, max(clone_penalty) as penalty from weather_forecast_component_scores
       where run_id = $1 and score_type = 'day1' group by miner_hotkey`,
    );
    const penalties = new Map(rows.map(({ hotkey, penalty }) => [hotkey, penalty]));
    expect(penalties.get(copying?.hotkey ?? '')).toBeGreaterThan(0);
    for (const { hotkey } of minersThat('good')) expect(penalties.get(hotkey)).toBe(0);
  });
});

describe('the record of a demonstration', () => {
  it('a miner that says when its inference began is taken at its word, and of others the acceptance counts', async () => {
    const rows = await rowsOf<{ hotkey: string; isLater: boolean }>(
      `select miner_hotkey as hotkey, inference_started_at > job_accepted_at as "isLater"
       from weather_miner_responses where run_id = $1 and inference_started_at is not null
         and inference_started_at >= job_accepted_at`,
    );
    const later = new Map(rows.map(({ hotkey, isLater }) => [hotkey, isLater]));
    const slow = minersThat('slow').map(({ hotkey }) => later.get(hotkey));
    expect(slow).toEqual(slow.map(() => true));
    for (const { hotkey } of minersThat('flaky', 'failing')) expect(later.get(hotkey)).toBe(false);
  });

  it('a component score against ERA5 has no value where the comment of its column says that day one alone has one', async () => {
    const { rows: columns } = await database.pool.query<{ name: string }>(
      `select attname as name from pg_attribute
       where attrelid = 'weather_forecast_component_scores'::regclass and attnum > 0
         and col_description(attrelid, attnum) like 'Day one%'`,
    );
    expect(columns.length).toBeGreaterThan(0);
    const [counts] = await rowsOf<Record<string, number>>(
      `select ${columns.map(({ name }) => `count(${name}) as ${name}`).join(', ')}
       from weather_forecast_component_scores where run_id = $1 and score_type = 'era5'`,
    );
    expect(counts).toEqual(Object.fromEntries(columns.map(({ name }) => [name, 0])));
    const [era5] = await rowsOf(
      `select bool_and(clone_penalty = 0) as unpenalized, bool_and(pattern_correlation is not null) as correlated
       from weather_forecast_component_scores where run_id = $1 and score_type = 'era5' and failed_check is null`,
    );
    expect(era5).toEqual({ unpenalized: true, correlated: true });
  });

  it('all seven tables have rows of the run, and no span was dropped or rejected', async () => {
    expect(Object.keys(report.recorded)).toHaveLength(7);
    for (const [table, rows] of Object.entries(report.recorded)) expect(rows, table).toBeGreaterThan(0);
    const { completeness, recorder } = report;
    expect(completeness).toMatchObject({ in_flight: 0, recorded: completeness.started });
    expect(Object.values(recorder.dropped).every((spans) => spans === 0)).toBe(true);
    expect(recorder.queued).toBe(0);
    expect((await database.pool.query('select * from dead_letter_spans')).rows).toEqual([]);
    expect(shown.output.problems).toEqual([]);
  });

  it('every recorded value equals the attribute of its span, neither cut nor replaced nor lost', async () => {
    const rows = await rowsOf(
      `select span_name, facts -> 'adjustments' as adjustments from weather_forecast_steps
       where run_id = $1 and (facts -> 'adjustments' <> '{}' or (facts ->> 'truncated')::boolean)`,
    );
    expect(rows).toEqual([]);
  });

  it('every key of a context is in snake case, nested ones, too, so that one name finds one thing', async () => {
    const rows = await rowsOf<{ step: string; key: string }>(
      `select distinct step_name as step, found.key from weather_forecast_steps,
         jsonb_path_query(context, '$.** ? (@.type() == "object").keyvalue().key') as path (value),
         lateral (select path.value #>> '{}' as key) as found
       where run_id = $1`,
    );
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter(({ key }) => !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(key))).toEqual([]);
  });

  it('no secret is recorded: no address or port of a miner, no token, no local path', async () => {
    const { rows } = await database.pool.query<{ base_url: string }>(
      'select base_url from pipeline.run_miners',
    );
    const ports = new Set(rows.map(({ base_url: url }) => `:${new URL(url).port}/`));
    expect(ports.size).toBe(2);
    const dump = Object.entries(await dumpTables(database.pool));
    expect(dump).toHaveLength(Object.keys(RECORDED_TABLES).length);
    for (const secret of ['127.0.0.1', 'localhost', 'eyJ', 'Bearer ', tmpdir(), process.cwd(), ...ports]) {
      const found = dump.flatMap(([table, lines]) =>
        lines.filter((line) => line.includes(secret)).map((line) => `${table}: ${line}`),
      );
      expect(found, secret).toEqual([]);
    }
  });

  it('scraped metrics equal the committed rows', async () => {
    const lines = (await (await fetch(report.where.metrics ?? '')).text()).split('\n');
    const shownBy = (metric: string, hotkey: string) =>
      lines
        .filter((line) => line.startsWith(`${metric}{`) && line.includes(hotkey))
        .map((line) => line.split(' ').at(-1));
    const { rows } = await database.pool.query<{
      hotkey: string;
      succeeded: string;
      reached: string;
      score: number | null;
    }>(
      `select miner_hotkey as hotkey, successful_forecasts::text as succeeded, hosting_successes::text as reached,
         avg_forecast_score as score from miner_stats`,
    );
    expect(rows).toHaveLength(16);
    for (const { hotkey, succeeded, reached, score } of rows) {
      expect(shownBy('barograph_miner_successful_forecasts_total', hotkey)).toEqual([succeeded]);
      expect(shownBy('barograph_miner_hosting_successes_total', hotkey)).toEqual([reached]);
      expect(shownBy('barograph_miner_avg_forecast_score', hotkey)).toEqual(
        score === null ? [] : [String(score)],
      );
    }
  });
});

describe('a second demonstration on the same database', () => {
  it('a second run leaves the rows of the first unchanged', async () => {
    await run.close();
    const before = await rowsOf('select * from weather_forecast_stats where run_id = $1 order by miner_uid');
    const second = await runDemonstration(testConfig(database.connectionString), { miners: 3, seed: 1 });
    await second.run.close();
    expect(second.run.report.run.status).toBe('completed');
    expect(second.run.report.run.id).toBeGreaterThan(report.run.id);
    expect(second.run.report.recorded).toMatchObject({ weather_forecast_runs: 1, weather_forecast_stats: 3 });
    const after = await rowsOf('select * from weather_forecast_stats where run_id = $1 order by miner_uid');
    expect(after).toEqual(before);
  });
});
