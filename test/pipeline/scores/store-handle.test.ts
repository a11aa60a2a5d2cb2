import { beforeAll, describe, expect, it } from 'vitest';
import { type GridStore, hasTime } from '#grids';
import { createStoreHandle, upstreamError } from '#pipeline/scores/store-handle';
import { CategorizedError } from '#semconv';
import { isoAfterInit, tinyStore } from '../support/tiny-world.ts';

const AT_24 = new Date(isoAfterInit(24));
const AT_48 = new Date(isoAfterInit(48));
let short: GridStore;
let long: GridStore;
beforeAll(async () => {
  short = await tinyStore({ leads: [24], error: 0 });
  long = await tinyStore({ leads: [24, 48], error: 0 });
});

/** A handle whose clock is set by hand. */
function growing(stores: readonly (GridStore | Error)[]) {
  let millis = 0;
  let openings = 0;
  const source = async (): Promise<GridStore> => {
    const store = stores[Math.min(openings, stores.length - 1)];
    openings += 1;
    if (store === undefined || store instanceof Error) throw store ?? new Error('none');
    return store;
  };
  const handle = createStoreHandle('truth', source, {
    clock: { now: () => new Date(millis) },
    refreshMillis: 1000,
  });
  return { handle, openings: () => openings, wait: (more: number) => (millis += more) };
}

describe('createStoreHandle', () => {
  it('a store is opened once, at its first use, for any number of users', async () => {
    const { handle, openings } = growing([short]);
    expect(openings()).toBe(0);
    await Promise.all([handle.open(), handle.open(), handle.openWithTime(AT_24)]);
    expect(openings()).toBe(1);
  });

  it('a store is reopened for a time that it lacks, but only after the refresh interval', async () => {
    const { handle, openings, wait } = growing([short, long]);
    expect(await handle.openWithTime(AT_48)).toBeNull();
    wait(999);
    expect(await handle.openWithTime(AT_48)).toBeNull();
    expect(openings()).toBe(1);
    wait(1);
    expect(await handle.openWithTime(AT_48)).toBe(long);
    expect(openings()).toBe(2);
  });

  it('a store that was given opened is never reopened', async () => {
    const handle = createStoreHandle('truth', short, {
      clock: { now: () => new Date(9e12) },
      refreshMillis: 0,
    });
    expect(await handle.openWithTime(AT_48)).toBeNull();
    expect(await handle.open()).toBe(short);
  });

  it('a store is opened again after a failed opening', async () => {
    const { handle } = growing([new CategorizedError('connection', 'no route'), short]);
    await expect(handle.open()).rejects.toMatchObject({ category: 'truth_not_ready', retryable: true });
    expect(await handle.open()).toBe(short);
  });

  it('hasTime compares to the millisecond', () => {
    expect(hasTime(short, AT_24)).toBe(true);
    expect(hasTime(short, new Date(AT_24.getTime() + 1))).toBe(false);
  });
});

describe('upstreamError', () => {
  it.each([
    ['connection', 'truth_not_ready'],
    ['http_5xx', 'truth_not_ready'],
    ['not_found', 'truth_not_ready'],
    ['rate_limited_upstream', 'rate_limited_upstream'],
    ['out_of_memory', 'out_of_memory'],
  ] as const)(
    'an outage of category %s is mapped to %s, so that no miner is blamed',
    (category, upstream) => {
      const error = upstreamError('climatology', new CategorizedError(category, 'because'));
      expect(error.category).toBe(upstream);
      expect(error.message).toBe('The climatology store cannot be read: because');
    },
  );
});
