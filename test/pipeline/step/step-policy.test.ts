import { describe, expect, it } from 'vitest';
import { RETRY_POLICIES } from '#pipeline/step/retry-policy';
import {
  afterFailure,
  afterSeconds,
  MAX_DELIVERIES,
  toFailure,
  withRetryPolicy,
} from '#pipeline/step/step-policy';
import { CategorizedError } from '#semconv';

const NOW = new Date('2026-11-23T18:00:00Z');
const underway = (attempt: number, { deliveries = 1, delayFactor = 1 } = {}) => ({
  parts: { clock: { now: () => NOW }, policies: RETRY_POLICIES, delayFactor },
  delivery: { queueJobId: 1, deliveries },
  step: 'query' as const,
  attempt,
});
const passing = new CategorizedError('timeout', 'took too long', { retryable: true });

describe('withRetryPolicy', () => {
  it('the result of the work is returned', async () => {
    expect(await withRetryPolicy(underway(1), () => Promise.resolve({ kind: 'fine' }))).toEqual({
      kind: 'fine',
    });
  });

  it('a retryable error becomes a retry at the time of the policy table', async () => {
    expect(await withRetryPolicy(underway(2), () => Promise.reject(passing))).toEqual({
      kind: 'retry',
      error: passing,
      nextRetryTime: new Date('2026-11-23T18:05:00Z'),
    });
  });

  it('the time of a retry is scaled by the delay factor', () => {
    expect(afterFailure(underway(3, { delayFactor: 0.001 }), passing)).toMatchObject({
      nextRetryTime: new Date('2026-11-23T18:00:00.900Z'),
    });
  });

  it('the last attempt and an error that is not retryable are final failures', () => {
    expect(afterFailure(underway(4), passing)).toEqual({ kind: 'failed', error: passing });
    const final = new CategorizedError('rejected_identity', 'not you');
    expect(afterFailure(underway(1), final)).toEqual({ kind: 'failed', error: final });
  });

  it('work that has crashed its worker ten times is not started again', async () => {
    let starts = 0;
    const work = () => Promise.resolve((starts += 1));
    await withRetryPolicy(underway(1, { deliveries: MAX_DELIVERIES }), work);
    const result = await withRetryPolicy(underway(1, { deliveries: MAX_DELIVERIES + 1 }), work);
    expect(result).toMatchObject({ kind: 'failed', error: { category: 'process_crash' } });
    expect(starts).toBe(1);
  });

  it('afterSeconds counts from the injected clock', () => {
    expect(afterSeconds(underway(1).parts, 60)).toEqual(new Date('2026-11-23T18:01:00Z'));
  });
});

describe('toFailure', () => {
  it('a stored failure has a category and no secret', () => {
    const failure = toFailure(
      new CategorizedError('connection', 'no route to http://203.0.113.9:8091/x?token=abc'),
    );
    expect(failure.category).toBe('connection');
    expect(failure.message).not.toMatch(/203\.0\.113\.9|abc/);
  });

  it('a stored failure is bounded, and exists for any thrown value', () => {
    expect(toFailure(new Error('x'.repeat(5000))).message).toHaveLength(500);
    expect(toFailure('boom')).toMatchObject({ category: 'unknown', message: 'boom' });
  });
});
