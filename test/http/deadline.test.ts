import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withDeadline } from '#http/metrics-server';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('work with a deadline', () => {
  it('work with a deadline gives its value, and leaves no timer behind', async () => {
    expect(await withDeadline(async () => 7, 100, { what: 'the work' })).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('work with a deadline gives its own error, even one thrown at once', async () => {
    const error = new Error('broken');
    const throwing = (): Promise<never> => {
      throw error;
    };
    await expect(withDeadline(throwing, 100, { what: 'the work' })).rejects.toBe(error);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('work that exceeds its deadline fails with a message that names the work and the deadline', async () => {
    const never = new Promise<void>(() => undefined);
    const given = withDeadline(() => never, 100, { what: 'the work' });
    const expectation = expect(given).rejects.toMatchObject({
      category: 'timeout',
      message: 'the work took longer than 100 ms',
    });
    await vi.advanceTimersByTimeAsync(100);
    await expectation;
  });
});
