import { describe, expect, it } from 'vitest';
import { RETRY_POLICIES, retryDelaySeconds, type RetriedStep } from '#pipeline/step/retry-policy';

const steps = Object.keys(RETRY_POLICIES) as RetriedStep[];
const delays = (step: RetriedStep): (number | null)[] =>
  Array.from({ length: RETRY_POLICIES[step].maxAttempts }, (_, n) => retryDelaySeconds(step, n + 1));

describe('retry policies', () => {
  it('each step has its number of attempts', () => {
    expect(Object.fromEntries(steps.map((step) => [step, RETRY_POLICIES[step].maxAttempts]))).toEqual({
      seed: 6,
      query: 4,
      poll: 20,
      verify: 4,
      day1: 4,
      era5: 5,
      aggregate: 4,
    });
  });

  it('a query is retried after 1, 5 and 15 minutes, which makes four attempts', () => {
    expect(delays('query')).toEqual([60, 300, 900, null]);
  });

  it('a miner is polled every five minutes, twenty times', () => {
    expect(delays('poll')).toEqual([...Array.from({ length: 19 }, () => 300), null]);
  });

  it('the scoring of a lead is retried after 5, 10, 20 and 40 minutes', () => {
    expect(delays('era5')).toEqual([300, 600, 1200, 2400, null]);
  });

  it('the delay of a lead never exceeds three hours, were there more attempts', () => {
    const policies = { ...RETRY_POLICIES, era5: { ...RETRY_POLICIES.era5, maxAttempts: 99 } };
    expect(retryDelaySeconds('era5', 50, policies)).toBe(3 * 3600);
  });

  it.each(steps)('the step %s has no retry after its last attempt', (step) => {
    const { maxAttempts } = RETRY_POLICIES[step];
    expect(retryDelaySeconds(step, maxAttempts - 1)).toBeGreaterThan(0);
    expect(retryDelaySeconds(step, maxAttempts)).toBeNull();
    expect(retryDelaySeconds(step, maxAttempts + 7)).toBeNull();
  });
});
