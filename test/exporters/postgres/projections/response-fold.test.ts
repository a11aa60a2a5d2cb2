import { describe, expect, it } from 'vitest';
import { emptyResponseFold, foldResponse, toResponseRow } from '#postgres/projections/response-fold';
import type { StepFact } from '#facts/step-fact';
import { endedFact, runningFact } from '#test/support/facts';
import { T } from '#test/support/spans';

const rowOf = (...facts: readonly StepFact[]) => toResponseRow(foldResponse(emptyResponseFold, facts));
const at = (ms: number): number => Number(T / 1000n) + ms * 1000;
const iso = (ms: number): string => new Date(at(ms) / 1000).toISOString();
const timeout = { type: 'timeout', message: 'no answer within 30 s' } as const;

const call = (substep: string, ms: number, transport: 'success' | 'failure') =>
  endedFact({
    step: 'communication',
    substep,
    at: ms,
    attributes: { 'weather.response.transport': transport },
  });

describe('toResponseRow', () => {
  it('the response time is that of the last successful query call', () => {
    const answered = call('initiate_fetch', 1000, 'success');
    expect(
      rowOf(answered, call('initiate_fetch', 2000, 'failure'), call('poll_job_status', 3000, 'success'))
        .responseTime,
    ).toBe(at(1100));
    expect(rowOf(call('initiate_fetch', 0, 'failure')).responseTime).toBeNull();
  });

  it('the first acceptance of the job stays when the query is repeated', () => {
    const accepted = (ms: number) =>
      endedFact({ step: 'query', at: ms, attributes: { 'weather.job.accepted_time': iso(ms) } });
    expect(rowOf(accepted(9000), accepted(1000)).jobAcceptedAt).toBe(at(1000));
  });

  it('the last polled time counts every ended poll and no running one', () => {
    const failed = endedFact({ step: 'poll', at: 5000, error: timeout });
    const running = runningFact({ step: 'poll', attempt: 2, at: 9000 });
    expect(rowOf(failed, running).lastPolledTime).toBe(at(5100));
    expect(rowOf(running).lastPolledTime).toBeNull();
  });

  it('retry count and next retry time are those of the newest step', () => {
    const second = endedFact({
      step: 'query',
      attempt: 2,
      status: 'retry_scheduled',
      error: timeout,
      attributes: { 'weather.retry.next_time': iso(60_000) },
    });
    expect(rowOf(second)).toMatchObject({ retryCount: 1, nextRetryTime: at(60_000) });
    const poll = endedFact({ step: 'poll', at: 60_000 });
    expect(rowOf(poll, second)).toMatchObject({ retryCount: 0, nextRetryTime: null });
    expect(rowOf()).toMatchObject({ retryCount: 0, nextRetryTime: null });
  });
});

describe('error_message of a response', () => {
  const failed = endedFact({ step: 'query', error: timeout });

  it('the error is that of the newest step and is cleared by a success', () => {
    expect(rowOf(failed).errorMessage).toBe('no answer within 30 s');
    expect(rowOf(failed, endedFact({ step: 'poll', at: 1000 })).errorMessage).toBeNull();
    expect(rowOf(endedFact({ step: 'poll', at: 1000 }), failed).errorMessage, 'in any order').toBeNull();
  });

  it('errors of scoring steps are not errors of the exchange', () => {
    const truth = { type: 'truth_missing', message: 'ERA5 has no such day' } as const;
    const scoring = endedFact({ step: 'era5', lead: 24, at: 5000, error: truth });
    expect(rowOf(endedFact({ step: 'verify' }), scoring).errorMessage).toBeNull();
    expect(rowOf(failed, scoring).errorMessage).toBe('no answer within 30 s');
  });

  it('the error of a single call is not shown, since its enclosing step has it', () => {
    expect(rowOf(endedFact({ step: 'communication', error: timeout })).errorMessage).toBeNull();
  });
});

describe('completion columns of a response', () => {
  const accepted = endedFact({ step: 'query', attributes: { 'weather.job.accepted_time': iso(0) } });
  const aggregate = (status: string, ms = 60_000) =>
    endedFact({
      step: 'aggregate',
      at: ms,
      durationMs: 500,
      attributes: { 'weather.forecast.status': status },
    });

  it('the aggregation of the forecast ends the exchange and gives its duration in seconds', () => {
    expect(rowOf(accepted, aggregate('completed'))).toMatchObject({
      era5ScoringCompletedAt: at(60_500),
      totalDurationSeconds: 60.5,
    });
    expect(rowOf(accepted, aggregate('failed')).totalDurationSeconds).toBe(60.5);
  });

  it('an exchange has no end during scoring and no duration without an acceptance', () => {
    expect(rowOf(accepted, aggregate('era5_scoring')).era5ScoringCompletedAt).toBeNull();
    expect(rowOf(aggregate('completed')).totalDurationSeconds).toBeNull();
  });

  it('the newest successful day-one scoring is recorded', () => {
    const scored = endedFact({ step: 'day1', lead: 12, at: 1000 });
    const failed = endedFact({ step: 'day1', lead: 12, attempt: 2, at: 2000, error: timeout });
    expect(rowOf(scored, failed).day1ScoringCompletedAt).toBe(at(1100));
    expect(rowOf(failed).day1ScoringCompletedAt).toBeNull();
  });
});
