import { beforeAll, describe, expect, it } from 'vitest';
import type { GridStore } from '#grids';
import { absentComponents, toComponentEvent } from '#pipeline/scores/component-score';
import { createFieldCache, newCacheUse } from '#pipeline/scores/field-cache';
import { DAY1_FIELDS, hasField, sharedPlannedFields, splitByPresence } from '#pipeline/scores/field-plan';
import { createComparedFieldReader, type FieldSources } from '#pipeline/scores/fields-at';
import { gateField } from '#pipeline/scores/gated-field';
import { scoreDay1Lead } from '#pipeline/scores/score-day1';
import { requireLeadScore, scoreEra5Lead } from '#pipeline/scores/score-era5-lead';
import { leadScore } from '#scoring';
import { PRESSURE_LEVELS_HPA, type Variable } from '#semconv';
import { isoAfterInit, tinyClimatology, tinyStore } from '../support/tiny-world.ts';

const VALID_TIME = new Date(isoAfterInit(24));
let truth: GridStore;
let climatology: GridStore;
let reference: GridStore;
let good: GridStore;
beforeAll(async () => {
  truth = await tinyStore({ leads: [24], error: 0 });
  climatology = await tinyClimatology([24]);
  reference = await tinyStore({ leads: [24], error: 0.4, phase: 5 });
  good = await tinyStore({ leads: [24], error: 0.1, phase: 1 });
});

const against = (forecast: GridStore, changes: Partial<FieldSources> = {}): FieldSources => ({
  forecast,
  truth: { name: 'truth', store: truth },
  climatology: { name: 'climatology', store: climatology },
  reference: { name: 'reference', store: reference },
  validTime: VALID_TIME,
  fields: createFieldCache(1e6),
  use: newCacheUse(),
  ...changes,
});
const era5 = (forecast: GridStore, changes: Partial<FieldSources> = {}) =>
  scoreEra5Lead(against(forecast, changes), sharedPlannedFields(truth, climatology));
const day1 = (forecast: GridStore) =>
  scoreDay1Lead(
    against(forecast),
    splitByPresence(
      forecast,
      DAY1_FIELDS.filter((field) => hasField(truth, field)),
    ),
  );

describe('scoreEra5Lead', () => {
  it('a perfect forecast scores 1 and no forecast scores below 0', async () => {
    expect((await era5(truth)).score).toBeCloseTo(1, 6);
    const bad = await era5(await tinyStore({ leads: [24], error: 5, phase: 3 }));
    expect(bad.score).toBeGreaterThanOrEqual(0);
    expect(bad.score).toBeLessThan(0.5);
  });

  it('the better of two forecasts scores higher', async () => {
    const worse = await tinyStore({ leads: [24], error: 0.6, phase: 1 });
    expect(requireLeadScore(await era5(good))).toBeGreaterThan(requireLeadScore(await era5(worse)));
  });

  it('each variable and level has one component with its share of the weight', async () => {
    const { components } = await era5(good);
    expect(
      components.map(({ field, variableWeight }) => [field.variable, field.pressureHpa, variableWeight]),
    ).toEqual([
      ['2t', null, 0.25],
      ['msl', null, 0.2],
      ['10u', null, 0.1],
      ['z', 500, 0.05],
      ['z', 850, 0.05],
    ]);
    for (const { skillScore, scores } of components) expect(skillScore).toBe(scores?.skillScoreClimatology);
  });

  it('a variable on two levels counts once, not twice', async () => {
    const { score, components } = await era5(good);
    const one = (name: string) => components.filter(({ field }) => field.variable === name);
    const mean = (values: readonly (number | null | undefined)[]): number =>
      values.reduce<number>((sum, value) => sum + (value ?? Number.NaN), 0) / values.length;
    const variables = ['2t', 'msl', '10u', 'z'].map(one);
    const byHand = leadScore({
      skills: variables.map((levels) => mean(levels.map(({ scores }) => scores?.skillScoreClimatology))),
      accs: variables.map((levels) => mean(levels.map(({ scores }) => scores?.acc))),
      rmses: variables.map((levels) => Math.sqrt(mean(levels.map(({ scores }) => scores?.mse)))),
      rmseReferences: variables.map((levels) =>
        Math.sqrt(mean(levels.map(({ scores }) => scores?.climatologyMse))),
      ),
    });
    expect(score).toBeCloseTo(byHand ?? Number.NaN, 12);
  });

  it('a lead that GFS does not reach is scored without a skill against GFS', async () => {
    const short = await tinyStore({ leads: [12], error: 0.4 });
    const { score, components } = await era5(good, { reference: { name: 'reference', store: short } });
    expect(components.map(({ scores }) => scores?.skillScoreReference)).toEqual(components.map(() => null));
    expect(score).toBe((await era5(good)).score);
  });

  it('a lead is rejected as a whole by the first field that fails a gate', async () => {
    const holed = await era5(await tinyStore({ leads: [24], error: 0, nanEvery: 9 }));
    expect(holed.score).toBeNull();
    expect(() => requireLeadScore(holed)).toThrow('Field 2t of the forecast is not scored: data_coverage');
    const bad = await era5(await tinyStore({ leads: [24], error: 0, scale: { msl: 1e9 }, nanIn: ['z500'] }));
    expect(() => requireLeadScore(bad)).toThrow('Field msl of the forecast is not scored: data_extreme');
  });

  it('every bad field of a rejected lead is named with its check, and the good ones keep their scores', async () => {
    const lead = { leads: [24], error: 0.1, phase: 1 };
    const { components } = await era5(await tinyStore({ ...lead, scale: { msl: 1e9 }, nanIn: ['z500'] }));
    const { components: whole } = await era5(good);
    expect(components.map(({ failedCheck }) => failedCheck)).toEqual([
      null,
      'extreme_value',
      null,
      'coverage',
      null,
    ]);
    for (const index of [0, 2, 4]) expect(components[index]?.scores).toEqual(whole[index]?.scores);
    for (const index of [1, 3]) expect(components[index]).toMatchObject({ scores: null, skillScore: null });
  });

  it('a field without any finite metric fails that check, because the lead is scored without it', async () => {
    const unknown = await tinyStore({ leads: [24], error: 0, nanIn: ['msl'] });
    const { score, components } = await era5(good, { truth: { name: 'truth', store: unknown } });
    expect(components[1]).toMatchObject({
      failedCheck: 'no_finite_metric',
      reason: 'not finite: rmse, acc, skill',
    });
    expect(score).toBeGreaterThan(0);
  });

  it('truth without any value is not ready, and no forecast is blamed for it', async () => {
    const empty = await tinyStore({ leads: [24], error: 0, nanEvery: 1 });
    await expect(era5(good, { truth: { name: 'truth', store: empty } })).rejects.toMatchObject({
      category: 'truth_not_ready',
      retryable: true,
      message: `The truth store cannot be read: its fields of ${isoAfterInit(24)} hold no value at all.`,
    });
  });

  it('a forecast without the time is read once, whatever the number of its fields', async () => {
    let reads = 0;
    const short = await tinyStore({ leads: [12], error: 0.1 });
    const counted: GridStore = {
      ...short,
      readField: (request) => {
        reads += 1;
        return short.readField(request);
      },
    };
    const { components } = await era5(counted);
    expect(components.map(({ failedCheck }) => failedCheck)).toEqual(Array(5).fill('missing_time'));
    expect(reads).toBe(1);
  });

  it('a lead without any finite metric has no score, rather than 0', () => {
    expect(() => requireLeadScore({ score: null, failure: null, components: [] })).toThrow(
      'No metric of any variable is finite',
    );
    expect(requireLeadScore({ score: 0, failure: null, components: [] })).toBe(0);
  });

  it('a forecast on another grid is interpolated to that of the truth and scored', async () => {
    const row = { latitudes: truth.latitudes, longitudes: Float64Array.from([0, 180]) };
    const constant: GridStore = { ...good, ...row, readField: async () => new Float32Array(10).fill(285) };
    const read = createComparedFieldReader(against(constant));
    const { forecast } = await read({ variable: '2t', pressureHpa: null });
    expect(forecast).toHaveLength(30);
  });
});

describe('gateField', () => {
  const field = { variable: '2t', pressureHpa: null } as const;
  const whole = new Float32Array(1000).fill(280);

  it('a temperature in Celsius is converted', () => {
    const gated = gateField(field, { forecast: whole.map((value) => value - 273.15), truth: whole });
    expect(gated).toMatchObject({ kind: 'scorable', unitFix: 'temperature_celsius_to_kelvin' });
  });

  it('the few gaps that pass are filled with climatology, which gains nothing', () => {
    const holed = whole.slice();
    holed[7] = Number.NaN;
    const climate = new Float32Array(1000).fill(250);
    const gated = gateField(field, { forecast: holed, truth: whole, climatology: climate });
    expect(gated.kind === 'scorable' && gated.fields.forecast[7]).toBe(250);
    expect(gated.kind === 'scorable' && gated.fields.forecast[8]).toBe(280);
    expect(gated.coverage).toBe(0.999);
  });

  it('a rejection names field, measure and limit', () => {
    const gated = gateField(
      { variable: 'z', pressureHpa: 500 },
      { forecast: whole.map(() => Number.NaN), truth: whole },
    );
    expect(gated).toMatchObject({
      kind: 'rejected',
      check: 'coverage',
      coverage: 0,
      error: { message: 'Field z500 of the forecast is not scored: data_coverage is 0, the limit is 0.1.' },
    });
  });
});

describe('scoreDay1Lead', () => {
  it('a good forecast has a skill against GFS, less its clone penalty', async () => {
    const { outcome, components } = await day1(good);
    expect(outcome).toMatchObject({ kind: 'scored', clamped: false, qcPassed: true });
    for (const { scores, skillScore, clonePenalty } of components) {
      expect(skillScore).toBe((scores?.skillScoreReference ?? Number.NaN) - (clonePenalty ?? 0));
    }
  });

  it('a copy of GFS is clamped, because its skill loses the whole penalty', async () => {
    const { outcome, components } = await day1(reference);
    expect(outcome).toMatchObject({ clamped: true, qcPassed: false });
    expect(outcome.kind === 'scored' && outcome.score).toBeLessThanOrEqual(0.05);
    expect(components[0]).toMatchObject({ clonePenalty: 1 });
  });

  it('a missing field counts 0, so that omitting it never pays', async () => {
    const lacking = await tinyStore({ leads: [24], error: 0.1, phase: 1, without: ['msl'] });
    const [all, some] = [(await day1(good)).outcome, (await day1(lacking)).outcome];
    expect(some.kind === 'scored' && all.kind === 'scored' && some.score < all.score).toBe(true);
  });

  it('an implausible field fails by its bounds, and its component names the check', async () => {
    const { components } = await day1(
      await tinyStore({ leads: [24], error: 0.1, phase: 1, scale: { msl: 1.3 } }),
    );
    expect(components.find(({ field }) => field.variable === 'msl')).toMatchObject({
      climatologyCheckPassed: false,
      failedCheck: 'climatology_bounds',
      reason: 'failed a sanity check',
    });
  });

  it('a unit conversion is noted', async () => {
    const { unitFixes } = await day1(
      await tinyStore({ leads: [24], error: 0.1, phase: 1, scale: { msl: 0.01 } }),
    );
    expect(unitFixes).toEqual({ msl: 'pressure_hectopascal_to_pascal' });
  });
});

describe('absentComponents', () => {
  const fieldsOf = (variables: readonly Variable[], levels: readonly number[]) =>
    variables.flatMap((variable) => levels.map((pressureHpa) => ({ variable, pressureHpa })));

  it('a lacking level is told from a lacking variable', () => {
    const present = fieldsOf(['z'], [850]);
    const missing = [...fieldsOf(['z'], [500]), ...fieldsOf(['q'], [500])];
    expect(absentComponents(good, { present, missing })).toMatchObject([
      { failedCheck: 'missing_level', scores: null, variableWeight: null },
      { failedCheck: 'missing_variable', scores: null, variableWeight: null },
    ]);
  });

  it('a span has at most 69 of them with the fields that are there, however many levels the truth has', () => {
    const all = Array.from({ length: 40 }, (_, index) => 25 * (index + 1));
    const upperAir: readonly Variable[] = ['t', 'u', 'v', 'q', 'z'];
    const everything = absentComponents(good, { present: [], missing: fieldsOf(upperAir, all) });
    expect(everything).toHaveLength(5 * PRESSURE_LEVELS_HPA.length);
    const present = fieldsOf(['t', 'u'], all.slice(0, 30));
    expect(absentComponents(good, { present, missing: fieldsOf(['v', 'q', 'z'], all) })).toHaveLength(9);
  });
});

describe('toComponentEvent', () => {
  it('a scored field has the plain skill beside the skill of the network, and says how much of the truth it covers', async () => {
    const { components } = await era5(await tinyStore({ leads: [24], error: 0.4, phase: 1 }));
    const [first] = components;
    if (first === undefined) throw new Error('the lead has no component');
    const { attributes } = toComponentEvent(first, { scoreType: 'era5', validTime: VALID_TIME });
    const { scores } = first;
    expect(attributes).toMatchObject({
      'weather.component.plain_skill_score_gfs': scores?.plainSkillReference,
      'weather.component.plain_skill_score_climatology': scores?.plainSkillClimatology,
      'weather.component.coverage': 1,
    });
    expect(scores?.plainSkillClimatology).toBeCloseTo(
      1 - (scores?.mse ?? 0) / (scores?.climatologyMse ?? 0),
      12,
    );
  });

  it('an event of a field without scores has no metrics, and holds the reason', () => {
    const event = toComponentEvent(
      {
        field: { variable: 'z', pressureHpa: 500 },
        scores: null,
        skillScore: null,
        clonePenalty: null,
        variableWeight: 0.1,
        durationMs: 0,
        failedCheck: 'missing_variable',
        reason: 'no such field',
      },
      { scoreType: 'day1', validTime: VALID_TIME },
    );
    expect(event).toMatchObject({
      name: 'weather.component_score',
      attributes: {
        'weather.component.pressure_level': 500,
        'weather.component.failed_check': 'missing_variable',
        'weather.component.reason': 'no such field',
        'weather.component.clone_penalty': null,
      },
    });
    expect(event.attributes).not.toHaveProperty('weather.component.rmse');
  });
});
