import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { componentScore, endedSpan } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const field = (variable: string, values: Readonly<Record<string, unknown>>) =>
  componentScore({
    score_type: 'era5',
    variable_name: variable,
    valid_time: '2026-11-24T00:00:00Z',
    ...values,
  });

/** A lead that failed by one field of two, and the same lead scored afterwards. */
const failed = endedSpan({
  step: 'era5',
  lead: 24,
  at: 1000,
  error: { type: 'data_coverage', message: 'Field msl of the forecast is not scored' },
  events: [
    field('2t', { rmse: 8, acc: 0.1, skill_score: -1, truth_digest: '0b'.repeat(32) }),
    field('msl', { failed_check: 'coverage' }),
  ],
});
const scored = endedSpan({
  step: 'era5',
  lead: 24,
  attempt: 2,
  at: 2000,
  attributes: {
    'weather.score.era5': 0.5,
    'weather.score.scorer_version': '1',
    'weather.score.inputs': JSON.stringify([
      {
        role: 'truth',
        kind: 'http',
        address: 'https://me:word@data.example.org/a/b/era5.zarr',
        expver: '0005',
      },
      'no object',
    ]),
  },
  events: [
    field('2t', { rmse: 2, acc: 0.9, skill_score: 0.5, truth_digest: '0a'.repeat(32) }),
    field('msl', { rmse: 4, acc: 0.7, skill_score: 0.3 }),
  ],
});

const components = () =>
  queryRows(
    database.pool,
    'select variable_name, rmse, failed_check from weather_forecast_component_scores order by 1',
  );
const averages = async () =>
  (
    await queryRows(database.pool, 'select avg_rmse, avg_acc, avg_skill_score from weather_forecast_stats')
  )[0];

describe('the scores of a component', () => {
  it('plain skills and coverage have columns of their own, null where a sender does not know them', async () => {
    const values = { plain_skill_score_gfs: -0.5, plain_skill_score_climatology: -5.89, coverage: 0.9985 };
    const events = [field('2t', { skill_score: 0.919, ...values }), field('msl', { skill_score: 0.3 })];
    await writeBatches(database.pool, [
      [endedSpan({ step: 'era5', lead: 24, attributes: { 'weather.score.era5': 0.5 }, events })],
    ]);
    const names = Object.keys(values);
    const rows = await queryRows(
      database.pool,
      `select skill_score, ${names.join(', ')} from weather_forecast_component_scores order by variable_name`,
    );
    expect(rows).toEqual([
      { skill_score: 0.919, ...values },
      { skill_score: 0.3, plain_skill_score_gfs: null, plain_skill_score_climatology: null, coverage: null },
    ]);
  });
});

describe('the components of a lead that failed', () => {
  it.each<[string, readonly (readonly ObservedSpan[])[]]>([
    ['failure first', [[failed], [scored]]],
    ['success first', [[scored], [failed]]],
    ['both in one batch', [[scored, failed]]],
    ['both twice', [[failed], [scored, failed], [scored]]],
  ])('a later scoring replaces the rows without scores in any order: %s', async (_order, batches) => {
    await writeBatches(database.pool, batches);
    expect(await components()).toEqual([
      { variable_name: '2t', rmse: 2, failed_check: null },
      { variable_name: 'msl', rmse: 4, failed_check: null },
    ]);
    expect(await queryRows(database.pool, 'select * from failed_checks')).toEqual([]);
    expect(
      await queryRows(
        database.pool,
        `select variable_name, encode(truth_digest, 'hex') as truth from weather_forecast_component_scores order by 1`,
      ),
    ).toEqual([
      { variable_name: '2t', truth: '0a'.repeat(32) },
      { variable_name: 'msl', truth: null },
    ]);
    expect(
      await queryRows(database.pool, 'select role, kind, address, expver, scorer_version from score_inputs'),
    ).toEqual([
      {
        role: 'truth',
        kind: 'http',
        address: 'https://[host]/era5.zarr',
        expver: '0005',
        scorer_version: '1',
      },
      { role: null, kind: null, address: null, expver: null, scorer_version: '1' },
    ]);
    expect(await averages()).toEqual({ avg_rmse: 3, avg_acc: 0.8, avg_skill_score: 0.4 });
  });

  it('a lead that failed adds nothing to the averages, neither its scores nor a count of fields', async () => {
    const day1 = endedSpan({
      step: 'day1',
      lead: 12,
      events: [
        componentScore({
          score_type: 'day1',
          variable_name: '2t',
          valid_time: '2026-11-23T12:00:00Z',
          rmse: 1,
          acc: 0.5,
          skill_score: 0.25,
        }),
      ],
    });
    await writeBatches(database.pool, [[day1]]);
    const before = await averages();
    expect(before).toEqual({ avg_rmse: 1, avg_acc: 0.5, avg_skill_score: 0.25 });
    await writeBatches(database.pool, [[failed]]);
    expect(await averages()).toEqual(before);
    expect(await components()).toHaveLength(3);
  });

  it('a view names each bad field with its check, lead and span', async () => {
    await writeBatches(database.pool, [[failed]]);
    expect(
      await queryRows(
        database.pool,
        'select score_type, lead_hours, variable_name, pressure_level, failed_check, span_id from failed_checks',
      ),
    ).toEqual([
      {
        score_type: 'era5',
        lead_hours: 24,
        variable_name: 'msl',
        pressure_level: null,
        failed_check: 'coverage',
        span_id: failed.spanId,
      },
    ]);
  });
});
