import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from '#ingest/concurrency-limit';

describe('slots', () => {
  it('are as many as were made, and one that is given back can be taken again', () => {
    const slots = createConcurrencyLimit(2);
    const first = slots.take();
    expect([first, slots.take()].every((slot) => slot !== null)).toBe(true);
    expect(slots.take()).toBeNull();
    first?.();
    expect(slots.take()).not.toBeNull();
    expect(slots.take()).toBeNull();
  });

  it('do not become more when one is given back twice', () => {
    const slots = createConcurrencyLimit(1);
    const slot = slots.take();
    slot?.();
    slot?.();
    expect(slots.take()).not.toBeNull();
    expect(slots.take()).toBeNull();
  });
});
