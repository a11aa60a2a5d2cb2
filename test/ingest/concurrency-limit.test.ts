import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createConcurrencyLimit } from '#ingest/concurrency-limit';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a concurrency limit', () => {
  it('a concurrency limit has as many slots as asked for, and gives a released one to who waits longest', async () => {
    const limit = createConcurrencyLimit(2, 1000);
    const [first, second] = [await limit.acquire(1), await limit.acquire(1)];
    const order: string[] = [];
    const third = limit.acquire(1).then((slot) => (order.push('third'), slot));
    const fourth = limit.acquire(1).then((slot) => (order.push('fourth'), slot));
    second?.();
    (await third)?.();
    expect(order).toEqual(['third']);
    expect(await fourth).not.toBeNull();
    first?.();
    expect(await limit.acquire(1)).not.toBeNull();
  });

  it('a freed slot goes to the lightest of those who wait, so that no number of heavy ones holds a light one up', async () => {
    const limit = createConcurrencyLimit(1, 1000);
    const slot = await limit.acquire(9);
    const order: number[] = [];
    const waits = [3, 1, 2, 1].map(async (weight) => {
      const release = await limit.acquire(weight);
      order.push(weight);
      release?.();
    });
    slot?.();
    await Promise.all(waits);
    expect(order).toEqual([1, 1, 2, 3]);
  });

  it('a slot of a concurrency limit that is released twice is freed once', async () => {
    const limit = createConcurrencyLimit(1, 1000);
    const slot = await limit.acquire(1);
    slot?.();
    slot?.();
    expect(await limit.acquire(1)).not.toBeNull();
    const waits = limit.acquire(1);
    vi.advanceTimersByTime(1000);
    expect(await waits).toBeNull();
  });

  it('who waited too long gets no slot later, and takes none from the others', async () => {
    const limit = createConcurrencyLimit(1, 1000);
    const slot = await limit.acquire(1);
    const tooLong = limit.acquire(1);
    vi.advanceTimersByTime(999);
    const later = limit.acquire(1);
    vi.advanceTimersByTime(1);
    expect(await tooLong).toBeNull();
    slot?.();
    expect(await later).not.toBeNull();
  });
});
