import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openGridStore, writeGridStore } from '#grids';
import { scoreStores, type ScoreRow } from '#commands/score/score-stores';
import { describeLeftOut } from '#commands/score/shared-fields';
import { region } from '#commands/score/region';
import { CONVENTIONS } from '#scoring/conventions';

const SHARED_DATA = fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const SKIP_NOTE = 'the shared reanalysis data is not here, so its expected scores are not checked';

type ExpectedRow = ScoreRow & { readonly case: string; readonly forecast: string };
const SCORES = ['mse', 'rmse', 'mae', 'bias', 'acc', 'skill_score_gfs', 'skill_score_climatology'] as const;

function expectedScores(folder: string): ExpectedRow[] {
  return JSON.parse(readFileSync(`${SHARED_DATA}/${folder}/expected-scores.json`, 'utf8')) as ExpectedRow[];
}

function keyOf(row: ScoreRow): string {
  return [row.valid_time_utc, row.lead_hours, row.variable, row.pressure_level].join(' ');
}

/** Equal to 1e-9 of the expected number; numbers near 0 to 1e-9. */
function isSameScore(got: number | null | undefined, expected: number | null): boolean {
  if (got === null || got === undefined || expected === null) return got === expected;
  return Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}

/** Every expected number that was not reproduced, and every row that is on one side only. */
function differences(got: readonly ScoreRow[], expected: readonly ExpectedRow[]): string[] {
  const byKey = new Map(got.map((row) => [keyOf(row), row]));
  const found = expected.flatMap((row) => {
    const match = byKey.get(keyOf(row));
    byKey.delete(keyOf(row));
    const published = Object.keys(row).filter((key) => key !== 'case' && key !== 'forecast');
    const given = Object.keys(match ?? {}).filter(
      (key) => key !== 'coverage' && !key.startsWith('plain_skill'),
    );
    const keys = match === undefined || given.join() === published.join() ? [] : ['keys'];
    return [...keys, ...SCORES.filter((score) => !isSameScore(match?.[score], row[score]))].map(
      (score) => `${row.forecast} ${keyOf(row)} ${score}`,
    );
  });
  return [...found, ...byKey.keys()];
}

describe.skipIf(!existsSync(SHARED_DATA))(`scores of real reanalysis fields (else: ${SKIP_NOTE})`, () => {
  it('every independently computed score of 2 m temperature over the United Kingdom is reproduced', async () => {
    const expected = expectedScores('era5-uk');
    const stores = (name: string) =>
      openGridStore(`${SHARED_DATA}/era5-uk/${name}.zarr`, { requireChunks: true });
    const truth = await stores('truth');
    const climatology = await stores('climatology');
    const reference = await stores('20190305T00/damped');
    const leadFrom = new Date('2019-03-05T00:00:00Z');
    const forecasts = [...new Set(expected.map((row) => row.forecast))];
    expect(forecasts.length).toBeGreaterThan(1);
    for (const name of forecasts) {
      const forecast = await stores(`20190305T00/${name}`);
      const rows = await scoreStores({ forecast, truth, reference, climatology, leadFrom });
      expect(
        differences(
          rows,
          expected.filter((row) => row.forecast === name),
        ),
      ).toEqual([]);
    }
  });

  it('every independently computed score of global upper-air fields is reproduced', async () => {
    const expected = expectedScores('era5-global');
    const stores = (name: string) =>
      openGridStore(`${SHARED_DATA}/era5-global/${name}.zarr`, { requireChunks: true });
    const truth = await stores('truth');
    const climatology = await stores('climatology');
    const reference = await stores('reference');
    const forecasts = [...new Set(expected.map((row) => row.forecast))];
    expect(forecasts.length).toBeGreaterThan(1);
    for (const name of forecasts) {
      const rows = await scoreStores({ forecast: await stores(name), truth, reference, climatology });
      expect(
        differences(
          rows,
          expected.filter((row) => row.forecast === name),
        ),
      ).toEqual([]);
    }
  });

  it('every score of each convention is reproduced on a real forecast of the globe', async () => {
    type Row = Readonly<Record<string, number | string | null>>;
    const path = `${SHARED_DATA}/era5-global/expected-conventions.json`;
    const expected = JSON.parse(readFileSync(path, 'utf8')) as readonly Row[];
    const stores = (name: string) => openGridStore(`${SHARED_DATA}/era5-global/${name}.zarr`);
    const input = { forecast: await stores('member-1'), truth: await stores('truth') };
    const climatology = await stores('climatology');
    const keyOf = (row: Row): string =>
      [row['valid_time_utc'], row['variable'], row['pressure_level']].join(' ');
    const checked: string[] = [];
    for (const convention of CONVENTIONS) {
      const rows = await scoreStores({ ...input, climatology, convention });
      const byKey = new Map(rows.map((row) => [keyOf({ ...row }), row]));
      for (const wanted of expected.filter((row) => row['convention'] === convention)) {
        const got = byKey.get(keyOf(wanted));
        for (const name of ['mse', 'rmse', 'mae', 'bias', 'acc'] as const)
          expect(
            isSameScore(got?.[name], Number(wanted[name])),
            `${convention} ${keyOf(wanted)} ${name}`,
          ).toBe(true);
        checked.push(convention);
      }
    }
    expect([...new Set(checked)]).toEqual([...CONVENTIONS]);
  });

  it('no edge of the United Kingdom has the weight of the rest of the globe in the convention of WeatherBench 2', async () => {
    const stores = (name: string) => openGridStore(`${SHARED_DATA}/era5-uk/${name}.zarr`);
    const input = { forecast: await stores('20190305T00/model'), truth: await stores('truth') };
    const [own, theirs] = [
      await scoreStores(input),
      await scoreStores({ ...input, convention: 'weatherbench2' }),
    ];
    for (const [index, row] of own.entries())
      expect((theirs[index]?.rmse ?? Number.NaN) / (row.rmse ?? Number.NaN)).toBeCloseTo(1, 6);
  });
});

const T0 = new Date('2026-01-01T00:00:00Z');
const hoursLater = (hours: number) => new Date(T0.getTime() + hours * 3_600_000);

interface SmallStore {
  readonly latitudes?: number[];
  readonly longitudes?: number[];
  readonly leads?: number[];
  readonly surface?: (latitude: number, longitude: number) => number;
  readonly upperAir?: (pressureHpa: number) => number;
}

/** A store of `msl` and optionally of `t` at 850 and 500 hPa, with values from a formula. */
async function smallStore(store: SmallStore) {
  const { latitudes = [60, 0], longitudes = [0, 90, 180, 270], leads = [24], surface, upperAir } = store;
  const files = new Map<string, Uint8Array>();
  const fill = (value: (latitude: number, longitude: number) => number) =>
    Float32Array.from(
      latitudes.flatMap((latitude) => longitudes.map((longitude) => value(latitude, longitude))),
    );
  await writeGridStore(
    files,
    {
      latitudes: Float64Array.from(latitudes),
      longitudes: Float64Array.from(longitudes),
      validTimes: leads.map(hoursLater),
      pressureLevelsHpa: upperAir ? [850, 500] : [],
      variables: [
        ...(surface
          ? [{ name: 'msl', units: 'Pa', onLevels: false, field: () => fill(surface) } as const]
          : []),
        ...(upperAir
          ? [
              {
                name: 't',
                units: 'K',
                onLevels: true,
                field: ({ pressureHpa }: { pressureHpa: number | null }) =>
                  fill(() => upperAir(pressureHpa ?? 0)),
              } as const,
            ]
          : []),
      ],
    },
    { zarrFormat: 2 },
  );
  return openGridStore(files);
}

describe('scoreStores', () => {
  it('latitude weights and both skill baselines give the scores of a hand calculation', async () => {
    const truth = await smallStore({ surface: () => 0 });
    const forecast = await smallStore({ surface: (latitude) => (latitude === 60 ? 2 : 1) });
    const baseline = await smallStore({ surface: (latitude) => (latitude === 60 ? 1 : -1) });
    const rows = await scoreStores({
      forecast,
      truth,
      reference: baseline,
      climatology: baseline,
      leadFrom: T0,
    });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      lead_hours: 24,
      valid_time_utc: '2026-01-02T00:00:00Z',
      variable: 'msl',
    });
    expect(rows[0]?.rmse).toBeCloseTo(1.4142135624, 6);
    expect(rows[0]?.mae).toBeCloseTo(1.3333333333, 6);
    expect(rows[0]?.skill_score_gfs).toBeCloseTo(0.75, 6);
    expect(rows[0]?.skill_score_climatology).toBeCloseTo(0.75, 6);
  });

  it('the skill is null without a baseline, so that unknown is not taken for zero', async () => {
    const truth = await smallStore({ surface: () => 0 });
    const [row] = await scoreStores({ forecast: await smallStore({ surface: () => 1 }), truth });
    expect(row).toEqual({
      valid_time_utc: '2026-01-02T00:00:00Z',
      variable: 'msl',
      mse: 1,
      rmse: 1,
      mae: 1,
      bias: 1,
      acc: null,
      skill_score_gfs: null,
      skill_score_climatology: null,
      plain_skill_score_gfs: null,
      plain_skill_score_climatology: null,
      coverage: 1,
    });
  });

  it('only times, variables and levels that forecast and truth share are scored', async () => {
    const truth = await smallStore({ leads: [24, 48, 72], surface: () => 0, upperAir: () => 250 });
    const forecast = await smallStore({
      leads: [12, 48],
      upperAir: (pressureHpa) => 250 + pressureHpa / 100,
    });
    const reference = await smallStore({ leads: [24], surface: () => 1 });
    const rows = await scoreStores({ forecast, truth, reference, leadFrom: T0 });
    expect(rows.map((row) => [row.lead_hours, row.variable, row.pressure_level, row.bias])).toEqual([
      [48, 't', 850, 8.5],
      [48, 't', 500, 5],
    ]);
    expect(rows.every((row) => row.skill_score_gfs === null)).toBe(true);
    expect(describeLeftOut({ forecast, truth })).toEqual([
      '2 of 3 valid times of the truth: the forecast lacks them.',
      'msl: the forecast lacks it.',
    ]);
  });

  it('stores that share nothing are an error that names what each of them has', async () => {
    const truth = await smallStore({ leads: [24], surface: () => 0 });
    const forecast = await smallStore({ leads: [48], surface: () => 0 });
    await expect(scoreStores({ forecast, truth })).rejects.toThrow(
      'Forecast and truth share no field. The forecast has 1 times from 2026-01-03T00:00Z to 2026-01-03T00:00Z, with msl. ' +
        'The truth has 1 times from 2026-01-02T00:00Z to 2026-01-02T00:00Z, with msl.',
    );
  });

  it('the coverage says for how much of the truth a score stands', async () => {
    const truth = await smallStore({ latitudes: [60, 30, 0, -30], surface: () => 0 });
    const forecast = await smallStore({ latitudes: [60, 30], surface: () => 1 });
    const [row] = await scoreStores({ forecast, truth });
    expect([row?.mse, row?.coverage]).toEqual([1, 0.5]);
  });

  it('below the least coverage a field has no skill, with the reason, and keeps its errors', async () => {
    const truth = await smallStore({ latitudes: [60, 30, 0, -30], surface: () => 0 });
    const forecast = await smallStore({ latitudes: [60, 30], surface: () => 1 });
    const input = {
      forecast,
      truth,
      reference: await smallStore({ latitudes: [60, -30], surface: () => 2 }),
    };
    const [open] = await scoreStores(input);
    expect(open).toMatchObject({ skill_score_gfs: 1, plain_skill_score_gfs: 0.75 });
    const [gated] = await scoreStores({ ...input, minCoverage: 0.9985 });
    expect(gated).toMatchObject({
      rmse: 1,
      skill_score_gfs: null,
      plain_skill_score_gfs: null,
      coverage: 0.5,
    });
    expect(gated?.reason).toBe('no skill: the forecast has 50 % of the points of the truth, below 99.85 %');
  });

  it('a region crosses Greenwich, takes its latitudes in either order, and changes no value of a point', async () => {
    const longitudes = [0, 90, 180, 270];
    const truth = await smallStore({ latitudes: [60, 0, -60], longitudes, surface: () => 0 });
    const forecast = await smallStore({
      ...{ latitudes: [60, 0, -60], longitudes },
      surface: (latitude, longitude) => (latitude === 60 ? 100 : 0) + longitude,
    });
    const mseWithin = async (text: string) => {
      const [row] = await scoreStores({ forecast, truth, region: region(text) });
      return row?.bias;
    };
    expect(await mseWithin('50,90,-90,0')).toBe(100 + 135);
    expect(await mseWithin('90,50,270,360')).toBe(100 + 135);
    expect(await mseWithin('-10,10,80,100')).toBe(90);
    expect(await mseWithin('-10,10,-180,180')).toBe(135);
    await expect(mseWithin('10,20,0,360')).rejects.toThrow(
      /--region holds no point of the truth: it has latitudes -60 to 60 and longitudes 0 to 270; the region has latitudes 10 to 20 and longitudes 0 eastward to 360\./,
    );
  });

  it('only chosen variables and levels are read and scored, and a choice that the truth lacks is told', async () => {
    const truth = await smallStore({ surface: () => 0, upperAir: () => 250 });
    const forecast = await smallStore({ surface: () => 1, upperAir: () => 251 });
    const read: string[] = [];
    const watched = (store: typeof truth): typeof truth => ({
      ...store,
      readField: (request) => {
        read.push(`${request.variable} ${String(request.pressureHpa)}`);
        return store.readField(request);
      },
    });
    const choice = { variables: ['t', 'q'], levels: [500, 300] } as const;
    const rows = await scoreStores({ forecast: watched(forecast), truth: watched(truth), choice });
    expect(rows.map((row) => [row.variable, row.pressure_level])).toEqual([['t', 500]]);
    expect(read).toEqual(['t 500', 't 500']);
    expect(describeLeftOut({ forecast, truth, choice })).toEqual(['q, 300 hPa: the truth lacks them.']);
    await expect(scoreStores({ forecast, truth, choice: { variables: ['q'] } })).rejects.toThrow(
      /^Forecast and truth share no field of those that --variables and --levels choose\./,
    );
  });

  it('values in another unit than the store says are recognised and told, as in the pipeline', async () => {
    const truth = await smallStore({ upperAir: () => 250 });
    const [row] = await scoreStores({ forecast: await smallStore({ upperAir: () => 250 - 273.15 }), truth });
    expect(row?.unit_fix).toBe('temperature_celsius_to_kelvin');
    expect(row?.mse).toBeCloseTo(0, 8);
    const [other] = await scoreStores({ forecast: truth, truth });
    expect(other).not.toHaveProperty('unit_fix');
  });

  it('a row of another convention says whose it is', async () => {
    const truth = await smallStore({ latitudes: [60, 0], surface: () => 0 });
    const forecast = await smallStore({
      latitudes: [60, 0],
      surface: (latitude) => (latitude === 60 ? 2 : 1),
    });
    const [own] = await scoreStores({ forecast, truth });
    const [gaia] = await scoreStores({ forecast, truth, convention: 'gaia' });
    expect(own).not.toHaveProperty('convention');
    expect(gaia).toMatchObject({ convention: 'gaia', mse: own?.mse, bias: 1.5 });
    expect(own?.bias).toBeCloseTo(4 / 3, 12);
  });

  it('a coarser forecast is interpolated to the grid of the truth, so that a linear field has no error', async () => {
    const slope = (latitude: number) => 1000 + latitude;
    const truth = await smallStore({ latitudes: [60, 45, 30, 15, 0], surface: slope });
    const forecast = await smallStore({ latitudes: [0, 60], longitudes: [0, 180], surface: slope });
    const [row] = await scoreStores({ forecast, truth });
    expect(row?.mse).toBeCloseTo(0, 8);
    expect(row?.bias).toBeCloseTo(0, 6);
  });
});
