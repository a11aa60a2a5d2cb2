import { describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import { endedSpan } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

/** A forecast with this status; by default a later run has a later T0. */
const forecast = (
  run: number,
  status: string,
  options: { readonly day?: number; readonly score?: number } = {},
) =>
  endedSpan({
    step: 'era5',
    run,
    lead: 24,
    at: run * 1000,
    attributes: {
      'weather.forecast.status': status,
      'weather.run.expected_leads': 1,
      'weather.run.init_time': `2026-11-${String(options.day ?? run).padStart(2, '0')}T00:00:00Z`,
      ...(options.score === undefined ? {} : { 'weather.score.era5': options.score }),
    },
  });

async function miner(): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `select consecutive_successes as successes, consecutive_failures as failures, best_forecast_score as best,
      worst_forecast_score as worst, last_successful_forecast as success, last_failed_forecast as failure
     from miner_stats`,
  );
  return rows[0] ?? {};
}

const record = async (...spans: readonly ReturnType<typeof forecast>[]) =>
  createPostgresExporter({ pool: database.pool }).exportObserved(spans);

const at = (ms: number): Date => new Date(Date.UTC(2026, 10, 23, 18) + ms);

describe('readHistories', () => {
  it('a streak counts ended forecasts, and those in flight do not break it (test vector 12)', async () => {
    await record(
      forecast(1, 'completed'),
      forecast(2, 'failed'),
      forecast(3, 'completed'),
      forecast(4, 'completed'),
      forecast(5, 'era5_scoring'),
      forecast(6, 'seeded'),
    );
    expect(await miner()).toMatchObject({ successes: 2, failures: 0 });
  });

  it('a streak is ordered by T0 and not by the time of the end or of its delivery', async () => {
    await record(forecast(4, 'failed', { day: 2 }));
    await record(forecast(1, 'completed', { day: 5 }), forecast(2, 'completed', { day: 4 }));
    await record(forecast(3, 'completed', { day: 1 }));
    expect(await miner()).toMatchObject({ successes: 2, failures: 0 });
  });

  it('the higher run is the later one of equal T0', async () => {
    await record(forecast(1, 'failed', { day: 3 }), forecast(2, 'completed', { day: 3 }));
    expect(await miner()).toMatchObject({ successes: 1, failures: 0 });
  });

  it('a newest failure starts a new streak', async () => {
    await record(forecast(1, 'completed'), forecast(2, 'completed'));
    await record(forecast(3, 'failed'));
    expect(await miner()).toMatchObject({ successes: 0, failures: 1 });
    await record(forecast(4, 'failed'));
    expect(await miner()).toMatchObject({ successes: 0, failures: 2 });
  });

  it('best and worst score cover completed forecasts, with 0.0 as a score', async () => {
    await record(
      forecast(1, 'completed', { score: 0.5 }),
      forecast(2, 'completed', { score: 0 }),
      forecast(3, 'failed', { score: 0.9 }),
      forecast(4, 'completed'),
    );
    expect(await miner()).toMatchObject({ best: 0.5, worst: 0 });
  });

  it('the last success and the last failure have their completion times', async () => {
    expect(await miner()).toEqual({});
    await record(forecast(1, 'completed'), forecast(2, 'failed'), forecast(3, 'completed'));
    expect(await miner()).toMatchObject({ success: at(3100), failure: at(2100) });
  });
});
