import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from '#ingest/concurrency-limit';

describe('slots', () => {
  it('slots are as many as were made, and one that is given back can be taken again', () => {
    const limit = createConcurrencyLimit(2);
    const first = limit.acquire();
    expect([first, limit.acquire()].every((slot) => slot !== null)).toBe(true);
    expect(limit.acquire()).toBeNull();
    first?.();
    expect(limit.acquire()).not.toBeNull();
    expect(limit.acquire()).toBeNull();
  });

  it('slots do not become more when one is given back twice', () => {
    const limit = createConcurrencyLimit(1);
    const slot = limit.acquire();
    slot?.();
    slot?.();
    expect(limit.acquire()).not.toBeNull();
    expect(limit.acquire()).toBeNull();
  });
});
