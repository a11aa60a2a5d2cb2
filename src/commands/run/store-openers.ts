import type { GridStore } from '#grids';
import type { PipelineStores, StoreSource } from '#pipeline';
import { messageOf } from '#semconv/message-of';
import { isPerCycle, locationOfCycle } from './cycle-location.ts';
import { openNamedStore, type StoreLocations } from './stores.ts';

/** Opens a store that an option names. */
type OpenStore = (option: string, location: string) => Promise<GridStore>;

/**
 * Lazy openers of the stores: each access opens them again, so that truth may grow and each cycle may have its own
 * stores, as in `https://host/gfs/{YYYYMMDD}.zarr`.
 *
 * @throws CategorizedError for a placeholder that is not known
 */
export function toStoreOpeners(locations: StoreLocations, open: OpenStore = openNamedStore): PipelineStores {
  const opener = (option: string, location: string): StoreSource =>
    isPerCycle(option, location)
      ? { ofCycle: (initTime) => open(option, locationOfCycle(location, initTime)) }
      : () => open(option, location);
  const { truth, climatology, reference, analysis } = locations;
  return {
    truth: opener('--truth', truth),
    climatology: opener('--climatology', climatology),
    reference: opener('--reference', reference),
    ...(analysis === undefined ? {} : { analysis: opener('--analysis', analysis) }),
  };
}

/** Error messages of the stores that all cycles share. They are warnings only: a store may be readable when needed. */
export async function findStoreProblems(stores: PipelineStores): Promise<readonly string[]> {
  const { truth, climatology, reference, analysis } = stores;
  const checks = [truth, climatology, reference, analysis].map(async (source) => {
    if (typeof source !== 'function') return [];
    try {
      await source();
      return [];
    } catch (error) {
      return [messageOf(error)];
    }
  });
  return (await Promise.all(checks)).flat();
}
