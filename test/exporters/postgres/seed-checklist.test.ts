import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { ERROR_CATEGORIES } from '#semconv';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { componentScore, endedSpan, MINER, startOfSpan } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const record = (...spans: readonly ObservedSpan[]) => writeBatches(database.pool, [spans]);

const rows = <Row extends object>(sql: string) => queryRows<Row>(database.pool, sql);

const forecast = async () =>
  (await rows<Record<string, unknown>>('select * from weather_forecast_stats'))[0] ?? {};
const miner = async () => (await rows<Record<string, unknown>>('select * from miner_stats'))[0] ?? {};

/** A failed query with a scheduled retry. */
const failedQuery = (attempt: number, extra: { readonly at?: number } = {}) =>
  endedSpan({
    step: 'query',
    attempt,
    maxAttempts: 4,
    at: extra.at ?? attempt * 1000,
    status: attempt < 4 ? 'retry_scheduled' : 'failed',
    error: { type: 'timeout', message: `no answer within 30 s (${attempt})` },
    attributes: attempt < 4 ? { 'weather.retry.next_time': `2026-11-23T18:0${attempt}:00Z` } : {},
  });

const call = (options: {
  at: number;
  durationMs?: number;
  failed?: 'timeout' | 'connection';
  spanId?: string;
}) =>
  endedSpan({
    step: 'communication',
    ...options,
    ...(options.failed ? { error: { type: options.failed, message: options.failed } } : {}),
    attributes: { 'weather.response.transport': options.failed ? 'failure' : 'success' },
  });

describe("the seed's testing checklist", () => {
  it('Verify error messages are recorded in `weather_forecast_stats`', async () => {
    await record(failedQuery(1));
    expect(await forecast()).toMatchObject({
      last_error_message: 'no answer within 30 s (1)',
      forecast_error_msg: {
        type: 'timeout',
        message: 'no answer within 30 s (1)',
        timestamp: '2026-11-23T18:00:01.100000Z',
      },
    });
    await record(endedSpan({ step: 'query', attempt: 2, maxAttempts: 4, at: 9000 }));
    expect((await forecast())['last_error_message'], 'a success clears the error of its step').toBeNull();
    expect(
      await rows('select from weather_forecast_steps where error_json is not null'),
      'the log keeps it',
    ).toHaveLength(1);
  });

  it('Check retry counters decrement properly', async () => {
    const remaining: unknown[] = [];
    for (const attempt of [1, 2, 3, 4]) {
      await record(failedQuery(attempt));
      const { retries_remaining, next_scheduled_retry } = await forecast();
      remaining.push([
        retries_remaining,
        next_scheduled_retry instanceof Date ? next_scheduled_retry.getUTCMinutes() : null,
      ]);
    }
    expect(remaining).toEqual([
      [3, 1],
      [2, 2],
      [1, 3],
      [0, null],
    ]);
    await record(endedSpan({ step: 'poll', attempt: 1, maxAttempts: 20, at: 60_000 }));
    expect(await forecast(), 'the next step starts with its own budget').toMatchObject({
      retries_remaining: 19,
    });
  });

  it('Confirm pipeline stages update correctly', async () => {
    const seen: unknown[] = [];
    const look = async () => {
      const { current_forecast_stage, current_forecast_status, forecast_status } = await forecast();
      seen.push([current_forecast_stage, current_forecast_status, forecast_status].join(' '));
    };
    const stageAttributes = (stage: string, status: string, forecastStatus?: string) => ({
      'weather.stage': stage,
      'weather.stage.status': status,
      ...(forecastStatus ? { 'weather.forecast.status': forecastStatus } : {}),
    });
    const seeded = endedSpan({ step: 'seed', attributes: stageAttributes('init', 'initialized', 'seeded') });
    const query = endedSpan({
      step: 'query',
      at: 1000,
      attributes: stageAttributes('inference_running', 'query_successful'),
    });
    const poll = endedSpan({
      step: 'poll',
      at: 2000,
      attributes: stageAttributes('inference_running_45%', 'polling'),
    });
    const day1 = endedSpan({
      step: 'day1',
      at: 3000,
      lead: 12,
      attributes: stageAttributes('day1_scored', 'completed', 'day1_scored'),
    });
    const era5 = endedSpan({
      step: 'era5',
      at: 4000,
      lead: 48,
      attributes: stageAttributes('era5_scoring_48h', 'scoring', 'era5_scoring'),
    });
    const done = endedSpan({
      step: 'aggregate',
      at: 5000,
      attributes: stageAttributes('complete', 'completed', 'completed'),
    });
    for (const span of [seeded, query, poll, startOfSpan(day1), day1, era5, done]) {
      await record(span);
      await look();
    }
    expect(seen).toEqual([
      'init initialized seeded',
      'inference_running query_successful seeded',
      'inference_running_45% polling seeded',
      'day1_scoring scoring seeded',
      'day1_scored completed day1_scored',
      'era5_scoring_48h scoring era5_scoring',
      'complete completed completed',
    ]);
    await record(
      endedSpan({
        step: 'poll',
        attempt: 2,
        at: 2500,
        attributes: stageAttributes('inference_running', 'polling'),
      }),
    );
    await look();
    expect(seen.at(-1), 'a late poll moves nothing back').toBe('complete completed completed');
  });

  it('Validate component scores are recorded', async () => {
    const events = [
      componentScore({
        score_type: 'era5',
        variable_name: '2t',
        valid_time: '2026-11-24T00:00:00Z',
        rmse: 1.5,
        mse: 2.25,
        acc: 0.9,
        skill_score: 0,
        bias: -0.2,
        mae: 1.1,
        variable_weight: 0.25,
        calculation_duration_ms: 3.5,
      }),
      componentScore({
        score_type: 'era5',
        variable_name: 'z',
        pressure_level: 500,
        valid_time: '2026-11-24T00:00:00Z',
        rmse: NaN,
        acc: 0.7,
        reason: 'no finite value',
      }),
    ];
    const scored = endedSpan({ step: 'era5', lead: 24, events, attributes: { 'weather.score.era5': 0.5 } });
    await record(scored);
    await record(scored);
    expect(
      await rows(`select variable_name, pressure_level, rmse, mse, acc, skill_score, bias, mae, variable_weight,
        calculation_duration_ms, reason, lead_hours, score_type, valid_time_utc, miner_hotkey
        from weather_forecast_component_scores order by variable_name`),
    ).toEqual([
      {
        variable_name: '2t',
        pressure_level: null,
        rmse: 1.5,
        mse: 2.25,
        acc: 0.9,
        skill_score: 0,
        bias: -0.2,
        mae: 1.1,
        variable_weight: 0.25,
        calculation_duration_ms: 3.5,
        reason: null,
        lead_hours: 24,
        score_type: 'era5',
        valid_time_utc: new Date('2026-11-24T00:00:00Z'),
        miner_hotkey: MINER.hotkey,
      },
      {
        variable_name: 'z',
        pressure_level: 500,
        rmse: null,
        mse: null,
        acc: 0.7,
        skill_score: null,
        bias: null,
        mae: null,
        variable_weight: null,
        calculation_duration_ms: null,
        reason: 'no finite value',
        lead_hours: 24,
        score_type: 'era5',
        valid_time_utc: new Date('2026-11-24T00:00:00Z'),
        miner_hotkey: MINER.hotkey,
      },
    ]);
    const row = await forecast();
    expect(row).toMatchObject({
      avg_rmse: 1.5,
      avg_skill_score: 0,
      era5_score_24h: 0.5,
      era5_completeness: 0.1,
    });
    expect(row['avg_acc']).toBeCloseTo(0.8, 12);
  });

  it('Test aggregation updates `miner_stats`', async () => {
    const finished = (run: number, status: 'completed' | 'failed', score: number | null) => [
      ...[24, 48].map((lead) =>
        endedSpan({
          step: 'era5',
          run,
          lead,
          at: run * 10_000 + lead,
          attributes: {
            'weather.run.expected_leads': 2,
            'weather.run.init_time': `2026-11-0${run}T00:00:00Z`,
            ...(score === null ? {} : { 'weather.score.era5': score }),
          },
        }),
      ),
      endedSpan({
        step: 'aggregate',
        run,
        at: run * 10_000 + 500,
        attributes: {
          'weather.forecast.status': status,
          'weather.run.expected_leads': 2,
          'weather.run.init_time': `2026-11-0${run}T00:00:00Z`,
        },
      }),
    ];
    const inFlight = [5, 6].map((run) =>
      endedSpan({
        step: 'query',
        run,
        at: run * 10_000,
        attributes: { 'weather.run.init_time': `2026-11-0${run}T00:00:00Z` },
      }),
    );
    await record(
      ...finished(1, 'completed', 0.9),
      ...finished(2, 'failed', null),
      ...finished(3, 'completed', 0.7),
      ...finished(4, 'completed', 0.5),
      ...inFlight,
    );
    const row = await miner();
    expect(row).toMatchObject({
      successful_forecasts: 3,
      failed_forecasts: 1,
      forecast_success_ratio: 0.75,
      consecutive_successes: 2,
      consecutive_failures: 0,
      best_forecast_score: 0.9,
      worst_forecast_score: 0.5,
      miner_rank: 1,
    });
    expect(row['avg_forecast_score']).toBeCloseTo(0.7, 12);
    expect(row['score_std_dev']).toBeCloseTo(0.2, 12);
  });

  it('Verify step logging captures all events', async () => {
    const poll = (attempt: number) =>
      endedSpan({ step: 'poll', attempt, maxAttempts: 20, at: attempt * 300, status: 'retry_scheduled' });
    const running = startOfSpan(endedSpan({ step: 'day1', lead: 12, at: 5000 }));
    const decision = endedSpan({
      step: 'orchestration',
      miner: null,
      at: 10,
      events: [
        {
          name: 'weather.orchestration.decision',
          timeUnixNano: 1795456800000000000n,
          attributes: {
            'weather.orchestration.decision': 'query_miners',
            'weather.orchestration.reason': 'GFS is ready',
            'weather.orchestration.level': 'INFO',
          },
        },
      ],
    });
    await record(poll(1), poll(2), poll(3), running, decision);
    expect(
      await rows(
        'select step_name, substep, attempt, status from weather_forecast_steps order by started_at',
      ),
    ).toEqual([
      { step_name: 'orchestration', substep: 'decision', attempt: 1, status: 'succeeded' },
      { step_name: 'poll', substep: 'attempt_1', attempt: 1, status: 'retry_scheduled' },
      { step_name: 'poll', substep: 'attempt_2', attempt: 2, status: 'retry_scheduled' },
      { step_name: 'poll', substep: 'attempt_3', attempt: 3, status: 'retry_scheduled' },
      { step_name: 'day1', substep: 'score', attempt: 1, status: 'in_progress' },
    ]);
    expect(await rows('select level, decision, reason, message from validator_job_logs')).toEqual([
      {
        level: 'INFO',
        decision: 'query_miners',
        reason: 'GFS is ready',
        message: 'Orchestration: query_miners - GFS is ready',
      },
    ]);
  });

  it('Check latency measurements are accurate', async () => {
    await record(
      call({ at: 0, durationMs: 123.456789 }),
      call({ at: 1000, durationMs: 30_000, failed: 'timeout' }),
    );
    expect(
      await rows(`select latency_ms, abs(extract(epoch from completed_at - started_at) * 1000 - latency_ms) < 0.001 as agrees
        from weather_forecast_steps order by started_at`),
    ).toEqual([
      { latency_ms: 123.456789, agrees: true },
      { latency_ms: 30_000, agrees: true },
    ]);
    expect((await miner())['avg_hosting_latency_ms'], 'of calls that worked').toBeCloseTo(123.456789, 9);
  });

  it('Confirm error categorization works', async () => {
    const failures = ERROR_CATEGORIES.map((type, index) =>
      endedSpan({
        step: 'verify',
        attempt: index + 1,
        maxAttempts: 50,
        at: index * 1000,
        error: { type, message: `a failure of type ${type}` },
      }),
    );
    await record(...failures);
    expect(await rows('select error_type from weather_forecast_steps order by started_at')).toEqual(
      ERROR_CATEGORIES.map((error_type) => ({ error_type })),
    );
    expect(await rows('select category from error_categories order by category')).toEqual(
      [...ERROR_CATEGORIES].sort().map((category) => ({ category })),
    );
    const rates = Object.values((await miner())['error_rate_by_type'] as Record<string, number>);
    expect(rates.reduce((sum, rate) => sum + rate, 0)).toBeCloseTo(1, 12);
    const odd = endedSpan({
      step: 'verify',
      at: 90_000,
      status: 'failed',
      attributes: { 'error.type': 'gremlins' },
    });
    await record(odd);
    const letters = await rows<{ reason: string; detail: string }>(
      'select reason, detail from dead_letter_spans',
    );
    expect(letters).toHaveLength(1);
    expect(letters[0]?.detail).toContain('error.type is "gremlins"; allowed: timeout, connection');
  });

  it('repeated calls count once (test vector 11)', async () => {
    const first = call({ at: 0, durationMs: 100 });
    const timeout = call({ at: 3000, failed: 'timeout' });
    await record(first, call({ at: 4000, failed: 'connection' }));
    await record(first);
    await record(call({ at: 2000, durationMs: 100 }), timeout);
    await record(timeout);
    expect(await miner()).toMatchObject({
      hosting_successes: 2,
      hosting_failures: 2,
      host_reliability_ratio: 0.5,
      avg_hosting_latency_ms: 100,
      common_errors: { timeout: 1, connection: 1 },
      error_rate_by_type: { timeout: 0.5, connection: 0.5 },
    });
  });

  it('two leads scored at once are both recorded (test vector 14)', async () => {
    const lead = (leadHours: number, score: number) =>
      endedSpan({
        step: 'era5',
        lead: leadHours,
        at: leadHours,
        attributes: { 'weather.score.era5': score },
      });
    await Promise.all([record(lead(24, 0.8)), record(lead(48, 0.6))]);
    const row = await forecast();
    expect(row['era5_completeness']).toBeCloseTo(0.2, 12);
    expect(row['era5_combined_score']).toBeCloseTo(0.14, 12);
  });
});
