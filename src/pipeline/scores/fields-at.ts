import { createInterpolator, type GridStore, hasTime, readDigestedField } from '#grids';
import type { CacheUse, FieldRead } from './field-cache.ts';
import { hasField, type PlannedField } from './field-plan.ts';
import type { ScoringStores } from './cycle-stores.ts';
import type { StoreHandle } from './store-handle.ts';

/** One of the validator's stores, opened. */
export interface OpenedStore {
  readonly name: string;
  readonly store: GridStore;
}

/** Of the bytes that each field was read from; null where a store knows none, absent where there is no field. */
export type FieldDigests = Readonly<
  Partial<Record<'forecast' | 'truth' | 'reference' | 'climatology', string | null>>
>;

/** The fields of one instant that a forecast field is compared with, all on the grid of the truth. */
export interface ComparedFields {
  readonly forecast: Float32Array;
  readonly truth: Float32Array;
  readonly reference?: Float32Array;
  readonly climatology?: Float32Array;
  readonly digests?: FieldDigests;
}

/** The stores whose fields are compared at one instant. */
export interface FieldSources {
  readonly forecast: GridStore;
  readonly truth: OpenedStore;
  /** The skill against it is unknown when it is null or lacks the field or the time. */
  readonly reference: OpenedStore | null;
  readonly climatology: OpenedStore | null;
  readonly validTime: Date;
  readonly fields: ScoringStores['fields'];
  readonly use: CacheUse;
}

/** Opens a store; null when there is none. */
export const openIfPresent = async (handle: StoreHandle | null): Promise<OpenedStore | null> =>
  handle === null ? null : { name: handle.name, store: await handle.open() };

/**
 * Reads one field of the forecast and of the stores that it is compared with, concurrently, so that decoding overlaps
 * with transfer.
 *
 * @throws when more than one field cannot be read, the error of the validator's own store, not that of the forecast: a
 * miner must not be blamed for an outage
 */
export function createComparedFieldReader(
  sources: FieldSources,
): (field: PlannedField) => Promise<ComparedFields> {
  const { forecast, truth, validTime, fields, use } = sources;
  const grid = truth.store;
  const toGrid = createInterpolator(forecast, grid);
  const own = async (source: OpenedStore | null, field: PlannedField): Promise<FieldRead | undefined> => {
    if (source === null || !hasField(source.store, field) || !hasTime(source.store, validTime))
      return undefined;
    const { name: storeName, store } = source;
    return fields.read({ storeName, store, request: { ...field, validTime }, grid, use });
  };
  return async (field) => {
    const request = { ...field, validTime };
    const read = await Promise.allSettled([
      own(sources.reference, field),
      own(sources.climatology, field),
      fields.read({ storeName: truth.name, store: truth.store, request, grid, use }),
      readDigestedField(forecast, request),
    ]);
    const [reference, climatology, actual, predicted] = [
      valueOf(read[0]),
      valueOf(read[1]),
      valueOf(read[2]),
      valueOf(read[3]),
    ];
    return {
      truth: actual.values,
      forecast: toGrid(predicted.values),
      ...(reference && { reference: reference.values }),
      ...(climatology && { climatology: climatology.values }),
      digests: {
        forecast: predicted.digest,
        truth: actual.digest,
        ...(reference && { reference: reference.digest }),
        ...(climatology && { climatology: climatology.digest }),
      },
    };
  };
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'fulfilled') return result.value;
  throw result.reason;
}
