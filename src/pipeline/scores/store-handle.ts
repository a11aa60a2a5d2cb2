import { type GridStore, hasTime } from '#grids';
import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { classifyError } from '#steps';
import type { Clock } from '../control/clock.ts';

/** A store, or a function that opens it. Only a store that can be reopened shows new times. */
export type GridStoreSource = GridStore | (() => Promise<GridStore>);

/** One of the validator's own stores: truth, climatology, reference or analysis. */
export interface StoreHandle {
  readonly name: string;
  /**
   * The store, opened at the first call (memoized).
   *
   * @throws CategorizedError `truth_not_ready` or another upstream category, retryable: no miner is at fault
   */
  open(): Promise<GridStore>;
  /** The store if it holds the valid time, reopened when it is older than `refreshMillis`; null while it does not. */
  openWithTime(validTime: Date): Promise<GridStore | null>;
}

export interface StoreHandleOptions {
  readonly clock: Clock;
  /** Age after which an opened store is reopened to look for new times, milliseconds. */
  readonly refreshMillis: number;
}

/** Memoizes an opened store for all steps; concurrent openings share one promise, and a failed one is not kept. */
export function createStoreHandle(
  name: string,
  source: GridStoreSource,
  { clock, refreshMillis }: StoreHandleOptions,
): StoreHandle {
  let opened: { readonly store: Promise<GridStore>; readonly at: number } | undefined;
  const openNew = (): Promise<GridStore> => {
    const store = openSource(name, source);
    const current = { store, at: clock.now().getTime() };
    opened = current;
    store.catch(() => {
      if (opened === current) opened = undefined;
    });
    return store;
  };
  const open = (): Promise<GridStore> => opened?.store ?? openNew();
  return {
    name,
    open,
    async openWithTime(validTime) {
      const store = await open();
      if (hasTime(store, validTime)) return store;
      const age = clock.now().getTime() - (opened?.at ?? 0);
      if (typeof source !== 'function' || age < refreshMillis) return null;
      const newer = await openNew();
      return hasTime(newer, validTime) ? newer : null;
    },
  };
}

/** Opens a store unless the source is one already. */
async function openSource(name: string, source: GridStoreSource): Promise<GridStore> {
  if (typeof source !== 'function') return source;
  try {
    return await source();
  } catch (error) {
    throw upstreamError(name, error);
  }
}

/** Maps an error of the validator's own store to an upstream category, so that no miner is blamed for it. */
export function upstreamError(name: string, error: unknown): CategorizedError {
  const category = classifyError(error);
  const isSpecific = category === 'rate_limited_upstream' || category === 'out_of_memory';
  const reason = messageOf(error);
  return new CategorizedError(
    isSpecific ? category : 'truth_not_ready',
    `The ${name} store cannot be read: ${reason}`,
    {
      cause: error,
      retryable: true,
    },
  );
}
