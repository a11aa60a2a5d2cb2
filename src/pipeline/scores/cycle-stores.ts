import type { GridStore } from '#grids';
import type { Clock } from '../control/clock.ts';
import { cycleName } from '../runs/forecast-cycle.ts';
import { createFieldCache, type FieldCache } from './field-cache.ts';
import { createStoreHandle, type GridStoreSource, type StoreHandle } from './store-handle.ts';

/** One store per cycle, such as the GFS forecast from T0. */
export interface StoreOfCycle {
  readonly ofCycle: (initTime: Date) => Promise<GridStore>;
}

/** A store that all cycles share, or one store per cycle. */
export type StoreSource = GridStoreSource | StoreOfCycle;

/** The stores that forecasts are scored with. A function opens a store that may gain new times. */
export interface PipelineStores {
  /** ERA5. */
  readonly truth: StoreSource;
  readonly climatology: StoreSource;
  /** The GFS forecast from T0. */
  readonly reference: StoreSource;
  /** The GFS analysis, truth of day one; ERA5 unless given. */
  readonly analysis?: StoreSource;
}

export interface CycleStoresOptions {
  readonly clock: Clock;
  /** Age after which an opened store is reopened to look for new times, milliseconds. */
  readonly refreshMillis: number;
  /** Capacity of the field cache, bytes, for all cycles together. */
  readonly fieldCacheBytes: number;
}

/** Sixteen days of runs in flight, four a day: more cycles than are ever scored at once. */
const MAX_CYCLES = 64;

type HandleOf = (initTime: Date) => StoreHandle;

/** Creates the stores of each cycle. A store that all cycles share is opened once. */
export function createCycleStores(
  stores: PipelineStores,
  options: CycleStoresOptions,
): (initTime: Date) => ScoringStores {
  const handlesOf = (name: string, source: StoreSource): HandleOf => {
    if (typeof source === 'object' && 'ofCycle' in source) return handlePerCycle(name, source, options);
    const handle = createStoreHandle(name, source, options);
    return () => handle;
  };
  const truth = handlesOf('truth', stores.truth);
  const climatology = handlesOf('climatology', stores.climatology);
  const reference = handlesOf('reference', stores.reference);
  const analysis = stores.analysis === undefined ? () => null : handlesOf('analysis', stores.analysis);
  const fields = createFieldCache(options.fieldCacheBytes);
  return (initTime) => ({
    truth: truth(initTime),
    climatology: climatology(initTime),
    reference: reference(initTime),
    analysis: analysis(initTime),
    fields,
  });
}

/** LRU cache of one handle per cycle. The cycle is part of the handle's name, which keys the field cache. */
function handlePerCycle(name: string, { ofCycle }: StoreOfCycle, options: CycleStoresOptions): HandleOf {
  const handles = new Map<string, StoreHandle>();
  return (initTime) => {
    const cycle = cycleName(initTime);
    const handle =
      handles.get(cycle) ?? createStoreHandle(`${name} ${cycle}`, () => ofCycle(initTime), options);
    handles.delete(cycle);
    handles.set(cycle, handle);
    for (const oldest of handles.keys()) {
      if (handles.size <= MAX_CYCLES) break;
      handles.delete(oldest);
    }
    return handle;
  };
}

/** The opened stores of one cycle, with the field cache that all cycles share. */
export interface ScoringStores {
  /** ERA5. */
  readonly truth: StoreHandle;
  readonly climatology: StoreHandle;
  /** The GFS forecast from T0. */
  readonly reference: StoreHandle;
  /** The GFS analysis: truth of day one. Null where day one is scored against ERA5. */
  readonly analysis: StoreHandle | null;
  /** Their fields, cached because many miners are scored on the same ones. */
  readonly fields: FieldCache;
}
