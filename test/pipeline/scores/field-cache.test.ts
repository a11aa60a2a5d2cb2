import { describe, expect, it } from 'vitest';
import type { FieldRequest, GridStore } from '#grids';
import { CategorizedError } from '#semconv';
import { createFieldCache, newCacheUse } from '#pipeline/scores/field-cache';

const TIME = new Date('2026-11-01T12:00:00Z');
const FIELD_BYTES = 6 * 4;

/** A store that counts what is read of it; its value is the hour. */
function countingStore(fail: (reads: number) => boolean = () => false): GridStore & { reads: () => number } {
  let reads = 0;
  return {
    variables: [{ name: '2t', pressureLevelsHpa: null, units: 'K' }],
    validTimes: [TIME],
    latitudes: Float64Array.from([10, 0]),
    longitudes: Float64Array.from([0, 120, 240]),
    readField: async ({ validTime }) => {
      reads += 1;
      if (fail(reads)) throw new CategorizedError('http_5xx', 'the archive answered 503');
      return new Float32Array(6).fill(validTime.getUTCHours());
    },
    reads: () => reads,
  };
}
const request = (hour = 12): FieldRequest => ({
  variable: '2t',
  pressureHpa: null,
  validTime: new Date(TIME.getTime() + (hour - 12) * 3_600_000),
});
const wanted = (store: GridStore, hour = 12, storeName = 'truth') => ({
  storeName,
  store,
  request: request(hour),
  grid: store,
  use: newCacheUse(),
});

describe('createFieldCache', () => {
  it('a field is read once for all requests, concurrent ones included', async () => {
    const store = countingStore();
    const cache = createFieldCache(1e6);
    const wishes = [wanted(store), wanted(store), wanted(store)];
    const fields = await Promise.all(wishes.map((wish) => cache.read(wish)));
    expect(new Set(fields).size).toBe(1);
    expect(store.reads()).toBe(1);
    expect(wishes.map(({ use }) => [use.hits, use.misses, use.bytes])).toEqual([
      [0, 1, FIELD_BYTES],
      [1, 0, 0],
      [1, 0, 0],
    ]);
  });

  it('fields of different stores, times and grids are cached separately', async () => {
    const store = countingStore();
    const cache = createFieldCache(1e6);
    await cache.read(wanted(store));
    await cache.read(wanted(store, 18));
    await cache.read(wanted(store, 12, 'reference'));
    expect(store.reads()).toBe(3);
    expect(cache.bytes).toBe(3 * FIELD_BYTES);
  });

  it('the cache never exceeds its capacity and evicts the least recently used field', async () => {
    const store = countingStore();
    const cache = createFieldCache(2 * FIELD_BYTES);
    await cache.read(wanted(store, 0));
    await cache.read(wanted(store, 6));
    await cache.read(wanted(store, 0));
    await cache.read(wanted(store, 12));
    expect(cache.bytes).toBe(2 * FIELD_BYTES);
    await cache.read(wanted(store, 0));
    expect(store.reads()).toBe(3);
    await cache.read(wanted(store, 6));
    expect(store.reads()).toBe(4);
  });

  it('a field larger than the cache is returned and not cached', async () => {
    const store = countingStore();
    const cache = createFieldCache(1);
    expect((await cache.read(wanted(store))).values).toHaveLength(6);
    expect(cache.bytes).toBe(0);
  });

  it('a failed read is an upstream error, is not cached, and is repeated by the next request', async () => {
    const store = countingStore((reads) => reads === 1);
    const cache = createFieldCache(1e6);
    await expect(cache.read(wanted(store))).rejects.toMatchObject({
      category: 'truth_not_ready',
      retryable: true,
    });
    expect((await cache.read(wanted(store))).values).toHaveLength(6);
  });

  it('the digest of a cached field is that of the bytes that were read, whatever the store holds by now', async () => {
    let digest = 'first';
    const { readField, ...store } = countingStore();
    const digested: GridStore = {
      ...store,
      readField: (wish, onDigest) => {
        onDigest?.(digest);
        return readField(wish);
      },
    };
    const cache = createFieldCache(1e6);
    expect((await cache.read(wanted(digested))).digest).toBe('first');
    digest = 'second';
    expect((await cache.read(wanted(digested))).digest).toBe('first');
    expect((await cache.read(wanted(digested, 18))).digest).toBe('second');
    expect((await cache.read(wanted(countingStore(), 6))).digest).toBeNull();
  });

  it("a field is interpolated to the truth's grid before it is cached", async () => {
    const store = countingStore();
    const grid = { latitudes: Float64Array.from([5]), longitudes: Float64Array.from([60, 180]) };
    const { values } = await createFieldCache(1e6).read({ ...wanted(store), grid });
    expect(values).toEqual(Float32Array.from([12, 12]));
  });
});
