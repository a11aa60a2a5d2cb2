import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '#commands/run/run';
import { scoreCommand } from '#commands/score/score';
import type { ValidationReport } from '#commands/run/validation-report';
import { ERA5_LEAD_HOURS, VARIABLES } from '#semconv';
import { invoke } from '../commands/support/invoke.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SHARED_DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url));
const SKIP_NOTE = 'the shared reanalysis data is not here, so its expected scores are not checked';
const UK = `${SHARED_DATA}/era5-uk`;
const SCORES = ['rmse', 'mse', 'mae', 'bias', 'acc', 'skill_score_gfs', 'skill_score_climatology'] as const;

type Scores = Readonly<Record<(typeof SCORES)[number], number | null>>;
/** A score as it was computed independently. Upper-air rows have a level, runs a lead. */
interface ExpectedScore extends Scores {
  readonly forecast: string;
  readonly lead_hours?: number;
  readonly valid_time_utc: string;
  readonly variable: string;
  readonly pressure_level?: number;
}
/** Only the columns in which rows differ. */
type Place = Pick<ExpectedScore, 'lead_hours' | 'valid_time_utc' | 'variable' | 'pressure_level'>;

const readExpected = (folder: string): readonly ExpectedScore[] =>
  JSON.parse(readFileSync(`${SHARED_DATA}/${folder}/expected-scores.json`, 'utf8')) as ExpectedScore[];

/** Equal to 1e-6 of the expected number, or to 1e-9, whichever is more. */
function isSame(got: number | null | undefined, expected: number | null): boolean {
  if (got == null || expected === null) return (got ?? null) === expected;
  return Math.abs(got - expected) <= Math.max(1e-9, 1e-6 * Math.abs(expected));
}

/** The scores that differ, by place and name. */
function differences(got: readonly (Scores & Place)[], expected: readonly ExpectedScore[]): string[] {
  const keyOf = (row: Place): string =>
    [row.valid_time_utc, row.lead_hours, row.variable, row.pressure_level].join(' ');
  const found = new Map(got.map((row) => [keyOf(row), row]));
  return expected.flatMap((row) =>
    SCORES.filter((score) => !isSame(found.get(keyOf(row))?.[score], row[score])).map(
      (score) => `${keyOf(row)} ${score}`,
    ),
  );
}

describe.skipIf(!existsSync(SHARED_DATA))(`a run on real reanalysis fields (else: ${SKIP_NOTE})`, () => {
  // In the order of their names, as the simulated miners take turns in serving them.
  const FORECASTS = ['climatology', 'damped', 'model', 'persistence'] as const;
  let database: TestDatabase;
  let report: ValidationReport;
  beforeAll(async () => {
    database = await createTestDatabase();
    const stores = { truth: 'truth', climatology: 'climatology', reference: '20190305T00/damped' };
    const options = Object.entries(stores).flatMap(([name, store]) => [`--${name}`, `${UK}/${store}.zarr`]);
    const ended = await invoke(
      runCommand(),
      [
        ...options,
        ...['--forecasts', `${UK}/20190305T00`, '--init-time', '2019-03-05T00:00:00Z'],
        ...['--miners', '8', '--seed', '3', '--json'],
      ],
      { DATABASE_URL: database.connectionString },
    );
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    report = JSON.parse(ended.stdout) as ValidationReport;
  }, 120_000);
  afterAll(() => database.drop());

  /** What was recorded of the miners that served the forecast. */
  async function recordedOf(forecast: string): Promise<readonly (readonly (Scores & Place)[])[]> {
    const served = report.miners.filter(({ uid }) => FORECASTS[(uid ?? 0) % FORECASTS.length] === forecast);
    const { rows } = await database.pool.query<Scores & Place & { miner_hotkey: string }>(
      `select miner_hotkey, lead_hours, to_char(valid_time_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as valid_time_utc,
         variable_name as variable, ${SCORES.join(', ')}
       from weather_forecast_component_scores where run_id = $1`,
      [report.run.id],
    );
    return served.map(({ hotkey }) => rows.filter((row) => row.miner_hotkey === hotkey));
  }

  it('the run completes with all leads of all miners scored and no retry', () => {
    expect(report.run.status).toBe('completed');
    expect(report.miners).toHaveLength(8);
    for (const miner of report.miners) {
      expect(miner).toMatchObject({ forecast_status: 'completed', era5_completeness: 1, retries: 0 });
      expect(miner.day1_score).toEqual(expect.any(Number));
      expect(Object.keys(miner.era5_scores)).toEqual(ERA5_LEAD_HOURS.map(String));
    }
  });

  it.each(['persistence', 'model', 'climatology'])(
    'every independently computed score of %s is recorded, for day one and each lead',
    async (forecast) => {
      const expected = readExpected('era5-uk').filter((row) => row.forecast === forecast);
      expect(expected.map((row) => row.lead_hours)).toEqual([12, ...ERA5_LEAD_HOURS]);
      const recorded = await recordedOf(forecast);
      expect(recorded).toHaveLength(2);
      for (const rows of recorded) {
        expect(rows).toHaveLength(expected.length);
        expect(differences(rows, expected)).toEqual([]);
      }
    },
  );

  it('the variables that no forecast could be scored on are reported', () => {
    for (const { missing_variables: missing } of report.miners) {
      expect(missing).toEqual(VARIABLES.filter((name) => name !== '2t').sort());
    }
  });

  it('the clone penalty hits miners that deliver the reference, and no others', async () => {
    const { rows } = await database.pool.query<{ uid: number; penalty: number }>(
      `select miner_uid as uid, clone_penalty as penalty from weather_forecast_component_scores
       where run_id = $1 and score_type = 'day1' order by miner_uid`,
      [report.run.id],
    );
    expect(rows.filter(({ penalty }) => penalty > 0).map(({ uid }) => uid)).toEqual([1, 5]);
    const day1 = new Map(report.miners.map(({ uid, day1_score: score }) => [uid, score ?? 0]));
    expect(day1.get(1)).toBeLessThan(Math.min(...[0, 2, 3].map((uid) => day1.get(uid) ?? 0)));
  });
});

describe.skipIf(!existsSync(SHARED_DATA))(`barograph score on real fields (else: ${SKIP_NOTE})`, () => {
  async function scoresOf(
    paths: Readonly<Record<string, string>>,
    { more = [], stderr = '' }: { readonly more?: readonly string[]; readonly stderr?: string } = {},
  ) {
    const options = Object.entries(paths).flatMap(([name, path]) => [
      `--${name}`,
      `${SHARED_DATA}/${path}.zarr`,
    ]);
    const ended = await invoke(scoreCommand(), [...options, ...more, '--json']);
    expect(ended).toMatchObject({ exitCode: 0, stderr });
    return JSON.parse(ended.stdout) as readonly (Scores & Place)[];
  }

  it('every independently computed score over the United Kingdom is printed', async () => {
    const expected = readExpected('era5-uk');
    for (const forecast of new Set(expected.map((row) => row.forecast))) {
      const stores = { truth: 'era5-uk/truth', climatology: 'era5-uk/climatology' };
      const others = { reference: 'era5-uk/20190305T00/damped', forecast: `era5-uk/20190305T00/${forecast}` };
      const rows = await scoresOf(
        { ...stores, ...others },
        {
          more: ['--lead-from', '2019-03-05T00:00:00Z'],
          stderr: 'Not scored: 113 of 124 valid times of the truth: the forecast lacks them.\n',
        },
      );
      const wanted = expected.filter((row) => row.forecast === forecast);
      expect(rows).toHaveLength(wanted.length);
      expect(differences(rows, wanted)).toEqual([]);
    }
  });

  it('every independently computed score of the globe is printed', async () => {
    const expected = readExpected('era5-global');
    for (const forecast of new Set(expected.map((row) => row.forecast))) {
      const names = ['truth', 'climatology', 'reference'];
      const stores = Object.fromEntries(names.map((name) => [name, `era5-global/${name}`]));
      const rows = await scoresOf({ ...stores, forecast: `era5-global/${forecast}` });
      const wanted = expected.filter((row) => row.forecast === forecast);
      expect(rows).toHaveLength(wanted.length);
      expect(differences(rows, wanted)).toEqual([]);
    }
  });
});
