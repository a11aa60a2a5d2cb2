import { createInterpolator, type FieldRequest, type Grid, type GridStore, readDigestedField } from '#grids';
import { upstreamError } from './store-handle.ts';

/** The use that one step made of the cache: hits, misses and bytes read. */
export interface CacheUse {
  hits: number;
  misses: number;
  /** Bytes of the fields that had to be read. */
  bytes: number;
}
export const newCacheUse = (): CacheUse => ({ hits: 0, misses: 0, bytes: 0 });

/** A request for a field of one of the validator's stores on a grid. */
export interface FieldWanted {
  readonly storeName: string;
  readonly store: GridStore;
  readonly request: FieldRequest;
  /** The grid of the truth, on which everything is compared. */
  readonly grid: Grid;
  readonly use: CacheUse;
}

/** A field on the grid of the truth. */
export interface FieldRead {
  readonly values: Float32Array;
  /** Of the bytes that it was read from, whenever that was; null where the store knows none. */
  readonly digest: string | null;
}

/** Fields of truth, climatology and references: read once, scored against by every miner. */
export interface FieldCache {
  read(wanted: FieldWanted): Promise<FieldRead>;
  /** Bytes of the cached fields. */
  readonly bytes: number;
}

interface Entry {
  readonly field: Promise<FieldRead>;
  bytes: number;
}

/**
 * LRU cache of at most `maxBytes` of fields.
 *
 * Concurrent reads of one field share one promise (request coalescing). A failed read is not cached, nor a field without any value,
 * as in a store whose times are made before they are filled.
 */
export function createFieldCache(maxBytes: number): FieldCache {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const dropOldest = (): void => {
    for (const [key, entry] of entries) {
      if (bytes <= maxBytes) return;
      entries.delete(key);
      bytes -= entry.bytes;
    }
  };
  const load = (key: string, wanted: FieldWanted): Promise<FieldRead> => {
    const entry: Entry = { field: readOnGrid(wanted), bytes: 0 };
    entries.set(key, entry);
    entry.field.then(
      (field) => {
        if (entries.get(key) !== entry) return;
        if (!field.values.some(Number.isFinite)) return void entries.delete(key);
        entry.bytes = field.values.byteLength;
        bytes += entry.bytes;
        dropOldest();
      },
      () => {
        if (entries.get(key) === entry) entries.delete(key);
      },
    );
    return entry.field;
  };
  return {
    get bytes() {
      return bytes;
    },
    async read(wanted) {
      const key = cacheKey(wanted);
      const found = entries.get(key);
      if (found === undefined) return countMiss(wanted.use, await load(key, wanted));
      wanted.use.hits += 1;
      entries.delete(key);
      entries.set(key, found);
      return found.field;
    },
  };
}

function countMiss(use: CacheUse, field: FieldRead): FieldRead {
  use.misses += 1;
  use.bytes += field.values.byteLength;
  return field;
}

const cacheKey = ({ storeName, request: { variable, pressureHpa, validTime }, grid }: FieldWanted): string =>
  [storeName, variable, pressureHpa, validTime.getTime(), grid.latitudes.length, grid.longitudes.length].join(
    '|',
  );

/** Reads a field and brings it to the grid of the truth. */
async function readOnGrid({ storeName, store, request, grid }: FieldWanted): Promise<FieldRead> {
  try {
    const { values, digest } = await readDigestedField(store, request);
    return { values: createInterpolator(store, grid)(values), digest };
  } catch (error) {
    throw upstreamError(storeName, error);
  }
}
