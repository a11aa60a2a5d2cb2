import type { GridStore } from '#grids';
import type { PipelineStores, StoreSource } from '#pipeline';
import { messageOf } from '#semconv/message-of';
import { isPerCycle, locationOfCycle } from './cycle-location.ts';
import { openNamedStore, type StoreLocations } from './stores.ts';

/** Opens a store that an option names. */
type OpenStore = (option: string, location: string) => Promise<GridStore>;

/**
 * What opens the stores whenever they are needed, so that truth may grow and a cycle may have stores of its own:
 * `https://host/gfs/{YYYYMMDD}.zarr`.
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

/** What is wrong now with the stores that all cycles share, in words; they may be well when they are needed. */
export async function findStoreProblems(stores: PipelineStores): Promise<readonly string[]> {
  const { truth, climatology, reference, analysis } = stores;
  const looked = [truth, climatology, reference, analysis].map(async (source) => {
    if (typeof source !== 'function') return [];
    try {
      await source();
      return [];
    } catch (error) {
      return [messageOf(error)];
    }
  });
  return (await Promise.all(looked)).flat();
}
