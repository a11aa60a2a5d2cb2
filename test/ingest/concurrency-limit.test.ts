import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from '#ingest/concurrency-limit';

describe('a concurrency limit', () => {
  it('a concurrency limit has as many slots as asked for, and a released one can be acquired again', () => {
    const limit = createConcurrencyLimit(2);
    const first = limit.acquire();
    expect([first, limit.acquire()].every((slot) => slot !== null)).toBe(true);
    expect(limit.acquire()).toBeNull();
    first?.();
    expect(limit.acquire()).not.toBeNull();
    expect(limit.acquire()).toBeNull();
  });

  it('a slot of a concurrency limit that is released twice is freed once', () => {
    const limit = createConcurrencyLimit(1);
    const slot = limit.acquire();
    slot?.();
    slot?.();
    expect(limit.acquire()).not.toBeNull();
    expect(limit.acquire()).toBeNull();
  });
});
