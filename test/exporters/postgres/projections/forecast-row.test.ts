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

describe('a forecast of which nothing is known', () => {
  it('a forecast of which nothing is known is pending, has no stage, no score and no retry, and is not complete by 0 of 0', () => {
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

describe('the retry of a forecast', () => {
  it('the retry of a forecast counts down with each attempt and goes back to the full number after a success', () => {
    const first = retried({ step: 'query', retryAt: 60_000 });
    const second = retried({ step: 'query', attempt: 2, at: 60_000, retryAt: 400_000 });
    const success = endedFact({ step: 'query', attempt: 3, maxAttempts: 4, at: 400_000 });
    expect(rowOf(first)).toMatchObject({ retriesRemaining: 3, nextScheduledRetry: at(60_000) });
    expect(rowOf(first, second)).toMatchObject({ retriesRemaining: 2, nextScheduledRetry: at(400_000) });
    expect(rowOf(first, second, success)).toMatchObject({ retriesRemaining: 3, nextScheduledRetry: null });
  });

  it('the retry of a forecast is no longer scheduled once it runs, and has one retry less to come', () => {
    const first = retried({ step: 'query', retryAt: 60_000 });
    const running = runningFact({ step: 'query', attempt: 2, maxAttempts: 4, at: 60_000 });
    expect(rowOf(first, running)).toMatchObject({ retriesRemaining: 2, nextScheduledRetry: null });
  });

  it('the retry of a forecast is over with 0 left, never below', () => {
    const last = endedFact({ step: 'query', attempt: 6, maxAttempts: 4, error: timeout });
    expect(rowOf(last)).toMatchObject({ retriesRemaining: 0, nextScheduledRetry: null });
  });

  it('the retry of a forecast is the earliest of the leads that wait, with what is left of that very lead', () => {
    const late = retried({ step: 'era5', lead: 24, attempt: 3, at: 5000, retryAt: 900_000 });
    const early = retried({ step: 'era5', lead: 48, attempt: 1, at: 1000, retryAt: 300_000 });
    expect(rowOf(late, early)).toMatchObject({ retriesRemaining: 3, nextScheduledRetry: at(300_000) });
    const done = endedFact({ step: 'era5', lead: 48, attempt: 2, maxAttempts: 4, at: 300_000 });
    expect(rowOf(late, early, done)).toMatchObject({
      retriesRemaining: 1,
      nextScheduledRetry: at(900_000),
    });
  });

  it('the retry of a forecast stays as it is when an older attempt is told later', () => {
    const first = retried({ step: 'query', retryAt: 60_000 });
    const second = retried({ step: 'query', attempt: 2, at: 60_000, retryAt: 400_000 });
    expect(rowOf(second, first)).toEqual(rowOf(first, second));
  });

  it('the retry of a forecast is unknown where the step knows no limit', () => {
    expect(rowOf(endedFact({ step: 'query', error: timeout })).retriesRemaining).toBeNull();
  });
});

describe('the error of a forecast', () => {
  const failedQuery = endedFact({ step: 'query', maxAttempts: 4, error: timeout });

  it('the error of a forecast has its category, its words and the time at which it happened', () => {
    expect(rowOf(failedQuery).error).toEqual({
      type: 'timeout',
      message: 'no answer within 30 s',
      timestamp: '2026-11-23T18:00:00.100000Z',
    });
  });

  it('the error of a forecast stays while its step is tried again, and goes when that step succeeds', () => {
    const running = runningFact({ step: 'query', attempt: 2, at: 1000 });
    expect(rowOf(failedQuery, running).error?.type).toBe('timeout');
    const success = endedFact({ step: 'query', attempt: 2, at: 1000 });
    expect(rowOf(failedQuery, running, success).error).toBeNull();
    expect(rowOf(success, failedQuery).error, 'in any order').toBeNull();
  });

  it('the error of a forecast is not taken away by the success of another step or another lead', () => {
    const failedLead = endedFact({
      step: 'era5',
      lead: 24,
      error: { type: 'truth_missing', message: 'ERA5 has no such day' },
    });
    expect(rowOf(failedLead, lead(48, 0.5, 1000)).error?.type).toBe('truth_missing');
    expect(rowOf(failedLead, lead(24, 0.5, 1000)).error).toBeNull();
  });

  it('the error of a forecast is the newest of those that are open', () => {
    const failedVerify = endedFact({
      step: 'verify',
      at: 1000,
      error: { type: 'verification_chunk', message: 'a chunk is not what was promised' },
    });
    expect(rowOf(failedVerify, failedQuery).error?.type).toBe('verification_chunk');
  });

  it('the error of a forecast is not that of a call, which the step around it tells', () => {
    expect(rowOf(endedFact({ step: 'communication', error: timeout })).error).toBeNull();
  });

  it('the error of a forecast is none while a step waits for truth, which is no failure', () => {
    const waiting = endedFact({
      step: 'era5',
      lead: 24,
      status: 'waiting_for_truth',
      attributes: { 'weather.retry.next_time': iso(9000) },
    });
    expect(rowOf(waiting)).toMatchObject({ error: null, nextScheduledRetry: at(9000) });
  });
});

describe('the scores of a forecast', () => {
  it('the scores of a forecast add up to test vector 4, with and without a day one that passed', () => {
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

  it('the scores of a forecast take 0.0 for a score, which counts as a lead that was scored', () => {
    expect(rowOf(lead(24, 0))).toMatchObject({ scoredLeads: 1, combinedScore: 0, overallScore: 0 });
  });

  it('the scores of a forecast take a score that could not be made for none, even where there was one before', () => {
    const unscored = endedFact({
      step: 'era5',
      lead: 24,
      at: 9000,
      attributes: { 'weather.score.era5': NaN },
    });
    expect(rowOf(lead(24, 0.8), unscored)).toMatchObject({ scoredLeads: 0, combinedScore: null });
  });

  it('the scores of a forecast count against the leads that the run expects', () => {
    const expected = endedFact({
      step: 'era5',
      lead: 24,
      attributes: { 'weather.score.era5': 0.8, 'weather.run.expected_leads': 2 },
    });
    expect(rowOf(expected)).toMatchObject({ expectedLeads: 2, completeness: 0.5, combinedScore: 0.4 });
  });

  it('the scores of a forecast are those of the newest scoring of a lead', () => {
    expect(rowOf(lead(24, 0.9, 2000), lead(24, 0.1, 1000)).era5Scores[0]).toBe(0.9);
  });

  it('the scores of a forecast have averages over ERA5 once a lead is scored, and over day one before', () => {
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

describe('where a forecast stands', () => {
  it('where a forecast stands is what the newest step says, since that stage was first entered, whatever its number', () => {
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

  it('where a forecast stands has the name that every validator gives the forecast (test vector 2)', () => {
    const attributes = { 'weather.run.init_time': '2025-11-26T00:00:00Z' };
    expect(rowOf(endedFact({ step: 'query', attributes: attributes })).forecastRunId).toBe(
      'forecast_20251126_00_to_20251126_00',
    );
    const targeted = { ...attributes, 'weather.run.target_time': '2025-12-06T12:00:00Z' };
    expect(rowOf(endedFact({ step: 'query', attributes: targeted })).forecastRunId).toBe(
      'forecast_20251126_00_to_20251206_12',
    );
  });

  it('where a forecast stands is over at the instant at which it was completed or failed, and not before', () => {
    const says = (status: string) =>
      endedFact({ step: 'aggregate', at: 5000, attributes: { 'weather.forecast.status': status } });
    expect(rowOf(says('completed')).completedAt).toBe(at(5100));
    expect(rowOf(says('failed')).completedAt).toBe(at(5100));
    expect(rowOf(says('era5_scoring')).completedAt).toBeNull();
  });

  it('where a forecast stands stays over when the span of its last lead ends behind that of its aggregation, or another step is given up', () => {
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

  it('where a forecast stands has the trace and the beginning of its earliest span', () => {
    const first = endedFact({ step: 'seed', at: 10, traceId: 'a'.repeat(32) });
    const second = endedFact({ step: 'query', at: 20, traceId: 'b'.repeat(32) });
    expect(rowOf(second, first)).toMatchObject({
      traceId: 'a'.repeat(32),
      createdAt: at(10),
      updatedAt: at(120),
    });
  });

  it('where a forecast stands has the hosting of the newest read: the latency of an older one does not stay', () => {
    const read = (at: number, attributes: Readonly<Record<string, unknown>>) =>
      endedFact({ step: 'verify', at, attributes });
    const good = read(0, { 'weather.hosting.status': 'accessible', 'weather.hosting.latency_ms': 182.5 });
    const bad = read(1000, { 'weather.hosting.status': 'timeout' });
    expect(rowOf(good)).toMatchObject({ hostingStatus: 'accessible', hostingLatencyMs: 182.5 });
    expect(rowOf(bad, good)).toMatchObject({ hostingStatus: 'timeout', hostingLatencyMs: null });
  });
});
