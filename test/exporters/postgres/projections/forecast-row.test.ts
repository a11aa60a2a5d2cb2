import { describe, expect, it } from 'vitest';
import { emptyForecastFold, foldForecast } from '#postgres/projections/forecast-fold';
import { toForecastRow } from '#postgres/projections/forecast-row';
import type { StepFact } from '#facts/step-fact';
import { closingSpan } from '#facts/closing';
import { endedFact, runningFact, toFact } from '#test/support/facts';
import { componentScore, endedSpan, startOfSpan, T, type SpanOptions } from '#test/support/spans';

const rowOf = (...facts: readonly StepFact[]) => toForecastRow(foldForecast(emptyForecastFold, facts));

/** Microseconds of an instant `ms` after `T`. */
const at = (ms: number): number => Number(T / 1000n) + ms * 1000;
const iso = (ms: number): string => new Date(at(ms) / 1000).toISOString();

const timeout = { type: 'timeout', message: 'no answer within 30 s' } as const;
const retried = (options: SpanOptions & { readonly retryAt: number }) =>
  endedFact({
    maxAttempts: 4,
    error: timeout,
    status: 'retry_scheduled',
    ...options,
    attributes: { 'weather.retry.next_time': iso(options.retryAt) },
  });
const lead = (leadHours: number, score: number | null, at = leadHours) =>
  endedFact({
    step: 'era5',
    lead: leadHours,
    at,
    attributes: score === null ? {} : { 'weather.score.era5': score },
  });

describe('toForecastRow of the empty fold', () => {
  it('an empty forecast is pending, with no stage, score or retry and with completeness 0', () => {
    expect(rowOf()).toMatchObject({
      forecastStatus: 'pending',
      stage: null,
      stageSince: null,
      error: null,
      retriesRemaining: null,
      nextScheduledRetry: null,
      scoreInitial: null,
      combinedScore: null,
      overallScore: null,
      completeness: 0,
      scoredLeads: 0,
      forecastRunId: null,
      completedAt: null,
    });
  });
});

describe('retry columns of a forecast', () => {
  it('the retries remaining count down per attempt and are full again after a success', () => {
    const first = retried({ step: 'query', retryAt: 60_000 });
    const second = retried({ step: 'query', attempt: 2, at: 60_000, retryAt: 400_000 });
    const success = endedFact({ step: 'query', attempt: 3, maxAttempts: 4, at: 400_000 });
    expect(rowOf(first)).toMatchObject({ retriesRemaining: 3, nextScheduledRetry: at(60_000) });
    expect(rowOf(first, second)).toMatchObject({ retriesRemaining: 2, nextScheduledRetry: at(400_000) });
    expect(rowOf(first, second, success)).toMatchObject({ retriesRemaining: 3, nextScheduledRetry: null });
  });

  it('a running retry is no longer scheduled and leaves one retry less', () => {
    const first = retried({ step: 'query', retryAt: 60_000 });
    const running = runningFact({ step: 'query', attempt: 2, maxAttempts: 4, at: 60_000 });
    expect(rowOf(first, running)).toMatchObject({ retriesRemaining: 2, nextScheduledRetry: null });
  });

  it('the retries remaining never fall below 0', () => {
    const last = endedFact({ step: 'query', attempt: 6, maxAttempts: 4, error: timeout });
    expect(rowOf(last)).toMatchObject({ retriesRemaining: 0, nextScheduledRetry: null });
  });

  it('the earliest scheduled lead gives retry time and retries remaining', () => {
    const late = retried({ step: 'era5', lead: 24, attempt: 3, at: 5000, retryAt: 900_000 });
    const early = retried({ step: 'era5', lead: 48, attempt: 1, at: 1000, retryAt: 300_000 });
    expect(rowOf(late, early)).toMatchObject({ retriesRemaining: 3, nextScheduledRetry: at(300_000) });
    const done = endedFact({ step: 'era5', lead: 48, attempt: 2, maxAttempts: 4, at: 300_000 });
    expect(rowOf(late, early, done)).toMatchObject({
      retriesRemaining: 1,
      nextScheduledRetry: at(900_000),
    });
  });

  it('an older attempt that arrives late changes no retry', () => {
    const first = retried({ step: 'query', retryAt: 60_000 });
    const second = retried({ step: 'query', attempt: 2, at: 60_000, retryAt: 400_000 });
    expect(rowOf(second, first)).toEqual(rowOf(first, second));
  });

  it('the retries remaining are null for a step without a limit', () => {
    expect(rowOf(endedFact({ step: 'query', error: timeout })).retriesRemaining).toBeNull();
  });
});

describe('error columns of a forecast', () => {
  const failedQuery = endedFact({ step: 'query', maxAttempts: 4, error: timeout });

  it('an error has its category, the party at fault, message and time', () => {
    expect(rowOf(failedQuery).error).toEqual({
      type: 'timeout',
      fault: 'miner',
      message: 'no answer within 30 s',
      timestamp: '2026-11-23T18:00:00.100000Z',
    });
  });

  it('an error stays during the retry of its step and is cleared by its success', () => {
    const running = runningFact({ step: 'query', attempt: 2, at: 1000 });
    expect(rowOf(failedQuery, running).error?.type).toBe('timeout');
    const success = endedFact({ step: 'query', attempt: 2, at: 1000 });
    expect(rowOf(failedQuery, running, success).error).toBeNull();
    expect(rowOf(success, failedQuery).error, 'in any order').toBeNull();
  });

  it('the success of another step or lead clears no error', () => {
    const failedLead = endedFact({
      step: 'era5',
      lead: 24,
      error: { type: 'truth_missing', message: 'ERA5 has no such day' },
    });
    expect(rowOf(failedLead, lead(48, 0.5, 1000)).error?.type).toBe('truth_missing');
    expect(rowOf(failedLead, lead(24, 0.5, 1000)).error).toBeNull();
  });

  it('the newest open error is shown', () => {
    const failedVerify = endedFact({
      step: 'verify',
      at: 1000,
      error: { type: 'verification_chunk', message: 'a chunk is not what was promised' },
    });
    expect(rowOf(failedVerify, failedQuery).error?.type).toBe('verification_chunk');
  });

  it('the error of a call is not shown, since its enclosing step has it', () => {
    expect(rowOf(endedFact({ step: 'communication', error: timeout })).error).toBeNull();
  });

  it('a step that waits for truth has no error', () => {
    const waiting = endedFact({
      step: 'era5',
      lead: 24,
      status: 'waiting_for_truth',
      attributes: { 'weather.retry.next_time': iso(9000) },
    });
    expect(rowOf(waiting)).toMatchObject({ error: null, nextScheduledRetry: at(9000) });
  });
});

describe('score columns of a forecast', () => {
  it('the scores match test vector 4, with and without a passed day one', () => {
    const leads = [lead(24, 0.8), lead(48, 0.7), lead(72, 0.6)];
    const day1 = (score: number) =>
      endedFact({ step: 'day1', lead: 12, attributes: { 'weather.score.initial': score } });
    const passed = rowOf(...leads, day1(0.6));
    expect(passed.combinedScore).toBeCloseTo(0.21, 12);
    expect(passed.completeness).toBeCloseTo(0.3, 12);
    expect(passed.overallScore).toBeCloseTo(0.2495, 12);
    expect(rowOf(...leads, day1(0.05)).overallScore).toBeCloseTo(0.1995, 12);
    expect(passed.era5Scores.slice(0, 4)).toEqual([0.8, 0.7, 0.6, null]);
  });

  it('a score of 0.0 counts as a scored lead', () => {
    expect(rowOf(lead(24, 0))).toMatchObject({ scoredLeads: 1, combinedScore: 0, overallScore: 0 });
  });

  it('a null score replaces an earlier score', () => {
    const unscored = endedFact({
      step: 'era5',
      lead: 24,
      at: 9000,
      attributes: { 'weather.score.era5': NaN },
    });
    expect(rowOf(lead(24, 0.8), unscored)).toMatchObject({ scoredLeads: 0, combinedScore: null });
  });

  it('completeness is relative to the expected leads of the run', () => {
    const expected = endedFact({
      step: 'era5',
      lead: 24,
      attributes: { 'weather.score.era5': 0.8, 'weather.run.expected_leads': 2 },
    });
    expect(rowOf(expected)).toMatchObject({ expectedLeads: 2, completeness: 0.5, combinedScore: 0.4 });
  });

  it('the newest scoring of a lead counts', () => {
    expect(rowOf(lead(24, 0.9, 2000), lead(24, 0.1, 1000)).era5Scores[0]).toBe(0.9);
  });

  it('averages cover ERA5 once a lead is scored and day one before', () => {
    const scored = (step: 'day1' | 'era5', at: number, rmses: readonly number[]) =>
      endedFact({
        step,
        lead: step === 'day1' ? 12 : 24,
        at,
        events: rmses.map((rmse) =>
          componentScore({
            score_type: step,
            variable_name: `v${rmse}`,
            valid_time: '2026-11-24T00:00:00Z',
            rmse,
          }),
        ),
      });
    const day1 = scored('day1', 0, [1, 3]);
    expect(rowOf(day1)).toMatchObject({ avgRmse: 2, avgAcc: null });
    expect(rowOf(day1, scored('era5', 1000, [5, 6, NaN]))).toMatchObject({ avgRmse: 5.5 });
    expect(
      rowOf(scored('era5', 1000, [5, 6]), scored('era5', 2000, [7])).avgRmse,
      'a repeated scoring replaces the one before',
    ).toBe(7);
  });
});

describe('status and stage columns of a forecast', () => {
  it('the stage is that of the newest step, since the first entry into it', () => {
    const poll = (attempt: number, progress: number) =>
      endedFact({
        step: 'poll',
        attempt,
        at: attempt * 1000,
        attributes: {
          'weather.stage': `inference_running_${progress}%`,
          'weather.stage.status': 'polling',
        },
      });
    expect(rowOf(poll(2, 60), poll(1, 30))).toMatchObject({
      stage: 'inference_running_60%',
      stageStatus: 'polling',
      stageSince: at(1000),
    });
  });

  it('the forecast run id is the same at every validator (test vector 2)', () => {
    const attributes = { 'weather.run.init_time': '2025-11-26T00:00:00Z' };
    expect(rowOf(endedFact({ step: 'query', attributes })).forecastRunId).toBe(
      'forecast_20251126_00_to_20251126_00',
    );
    const targeted = { ...attributes, 'weather.run.target_time': '2025-12-06T12:00:00Z' };
    expect(rowOf(endedFact({ step: 'query', attributes: targeted })).forecastRunId).toBe(
      'forecast_20251126_00_to_20251206_12',
    );
  });

  it('the completion time is the instant of the terminal status', () => {
    const aggregatedAs = (status: string) =>
      endedFact({ step: 'aggregate', at: 5000, attributes: { 'weather.forecast.status': status } });
    expect(rowOf(aggregatedAs('completed')).completedAt).toBe(at(5100));
    expect(rowOf(aggregatedAs('failed')).completedAt).toBe(at(5100));
    expect(rowOf(aggregatedAs('era5_scoring')).completedAt).toBeNull();
  });

  it('a terminal status survives a late span of the last lead and an abandoned step', () => {
    const end = endedFact({
      step: 'aggregate',
      at: 5000,
      attributes: {
        'weather.forecast.status': 'completed',
        'weather.stage': 'complete',
        'weather.stage.status': 'completed',
      },
    });
    const straggler = endedFact({
      step: 'era5',
      lead: 240,
      at: 9000,
      attributes: {
        'weather.forecast.status': 'era5_scoring',
        'weather.stage': 'era5_scoring_240h',
        'weather.score.era5': 0.5,
      },
    });
    const running = runningFact({ step: 'era5', lead: 240, at: 20_000 });
    const givenUp = toFact(
      closingSpan(startOfSpan(endedSpan({ step: 'poll', at: 30_000 })), {
        reason: 'process_crash',
        at: at(40_000),
      }),
    );
    expect(rowOf(end, straggler, running, givenUp)).toMatchObject({
      forecastStatus: 'completed',
      stage: 'complete',
      stageStatus: 'completed',
      completedAt: at(5100),
      scoredLeads: 1,
      updatedAt: at(30_000),
    });
  });

  it('trace and creation time are those of the earliest span', () => {
    const first = endedFact({ step: 'seed', at: 10, traceId: 'a'.repeat(32) });
    const second = endedFact({ step: 'query', at: 20, traceId: 'b'.repeat(32) });
    expect(rowOf(second, first)).toMatchObject({
      traceId: 'a'.repeat(32),
      createdAt: at(10),
      updatedAt: at(120),
    });
  });

  it('hosting status and latency come from the newest read together', () => {
    const read = (at: number, attributes: Readonly<Record<string, unknown>>) =>
      endedFact({ step: 'verify', at, attributes });
    const good = read(0, { 'weather.hosting.status': 'accessible', 'weather.hosting.latency_ms': 182.5 });
    const bad = read(1000, { 'weather.hosting.status': 'timeout' });
    expect(rowOf(good)).toMatchObject({ hostingStatus: 'accessible', hostingLatencyMs: 182.5 });
    expect(rowOf(bad, good)).toMatchObject({ hostingStatus: 'timeout', hostingLatencyMs: null });
  });
});
