import { describe, expect, it } from 'vitest';
import type { GridStore } from '#grids';
import { createCycleStores, type StoreSource } from '#pipeline/scores/cycle-stores';
import { newCacheUse } from '#pipeline/scores/field-cache';
import { tinyStore } from '../support/tiny-world.ts';

const HOUR = 3_600_000;
const FIRST = new Date('2026-11-01T00:00:00Z');
const SECOND = new Date('2026-11-02T00:00:00Z');
const VALID_TIME = new Date('2026-11-02T12:00:00Z');
const OPTIONS = { clock: { now: () => new Date(0) }, refreshMillis: HOUR, fieldCacheBytes: 2 ** 20 };

/** A forecast of each cycle that differs from the others, and what was opened. */
async function bench() {
  const truth = await tinyStore({ leads: [36], error: 0 });
  const opened: string[] = [];
  const ofCycle = (initTime: Date): Promise<GridStore> => {
    opened.push(initTime.toISOString().slice(0, 10));
    const lead = (VALID_TIME.getTime() - initTime.getTime()) / HOUR;
    return tinyStore({ initTime, leads: [lead], error: 0.1 * lead, phase: 3 });
  };
  const storesOf = (reference: StoreSource) =>
    createCycleStores({ truth, climatology: truth, reference }, OPTIONS);
  return { truth, opened, ofCycle, storesOf };
}

describe('createCycleStores', () => {
  it('a store that all cycles share is opened once', async () => {
    const { truth, storesOf } = await bench();
    let openings = 0;
    const stores = storesOf(async () => {
      openings += 1;
      return truth;
    });
    expect(stores(FIRST).reference).toBe(stores(SECOND).reference);
    expect(stores(FIRST).truth).toBe(stores(SECOND).truth);
    expect(stores(FIRST).analysis).toBeNull();
    await Promise.all([stores(FIRST).reference.open(), stores(SECOND).reference.open()]);
    expect(openings).toBe(1);
  });

  it('a store per cycle is opened once for each cycle', async () => {
    const { opened, ofCycle, storesOf } = await bench();
    const stores = storesOf({ ofCycle });
    for (const cycle of [FIRST, SECOND, FIRST]) await stores(cycle).reference.open();
    expect(opened).toEqual(['2026-11-01', '2026-11-02']);
    expect(stores(FIRST).reference.name).toBe('reference 2026-11-01T00Z');
  });

  it('two cycles never share the cached field of the same instant', async () => {
    const { truth, ofCycle, storesOf } = await bench();
    const stores = storesOf({ ofCycle });
    const use = newCacheUse();
    const read = async (cycle: Date): Promise<Float32Array> => {
      const { reference, fields } = stores(cycle);
      const request = { variable: '2t', pressureHpa: null, validTime: VALID_TIME } as const;
      const { values } = await fields.read({
        storeName: reference.name,
        store: await reference.open(),
        request,
        grid: truth,
        use,
      });
      return values;
    };
    const [first, second, again] = [await read(FIRST), await read(SECOND), await read(FIRST)];
    expect(second).not.toEqual(first);
    expect(again).toBe(first);
    expect(use).toMatchObject({ hits: 1, misses: 2 });
  });

  it('stores are kept for the most recently used cycles only', async () => {
    const { opened, ofCycle, storesOf } = await bench();
    const stores = storesOf({ ofCycle });
    const used = stores(FIRST).reference;
    for (let cycle = 1; cycle <= 100; cycle += 1) {
      expect(stores(FIRST).reference).toBe(used);
      expect(stores(new Date(FIRST.getTime() + cycle * 6 * HOUR)).reference).not.toBe(used);
    }
    const old = new Date(FIRST.getTime() + 6 * HOUR);
    expect(stores(old).reference).toBe(stores(old).reference);
    expect(opened).toEqual([]);
  });
});
