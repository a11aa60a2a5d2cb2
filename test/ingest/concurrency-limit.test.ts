import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createConcurrencyLimit } from '#ingest/concurrency-limit';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a concurrency limit', () => {
  it('a concurrency limit has as many slots as asked for, and gives a released one to who waits longest', async () => {
    const limit = createConcurrencyLimit(2, 1000);
    const [first, second] = [await limit.acquire(), await limit.acquire()];
    const order: string[] = [];
    const third = limit.acquire().then((slot) => (order.push('third'), slot));
    const fourth = limit.acquire().then((slot) => (order.push('fourth'), slot));
    second?.();
    (await third)?.();
    expect(order).toEqual(['third']);
    expect(await fourth).not.toBeNull();
    first?.();
    expect(await limit.acquire()).not.toBeNull();
  });

  it('a slot of a concurrency limit that is released twice is freed once', async () => {
    const limit = createConcurrencyLimit(1, 1000);
    const slot = await limit.acquire();
    slot?.();
    slot?.();
    expect(await limit.acquire()).not.toBeNull();
    const waits = limit.acquire();
    vi.advanceTimersByTime(1000);
    expect(await waits).toBeNull();
  });

  it('who waited too long gets no slot later, and takes none from the others', async () => {
    const limit = createConcurrencyLimit(1, 1000);
    const slot = await limit.acquire();
    const tooLong = limit.acquire();
    vi.advanceTimersByTime(999);
    const later = limit.acquire();
    vi.advanceTimersByTime(1);
    expect(await tooLong).toBeNull();
    slot?.();
    expect(await later).not.toBeNull();
  });
});
