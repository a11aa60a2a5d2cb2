import type { FieldCache } from './field-cache.ts';
import type { StoreHandle } from './store-handle.ts';

/** What forecasts are scored with. */
export interface ScoringStores {
  /** ERA5. */
  readonly truth: StoreHandle;
  readonly climatology: StoreHandle;
  /** The GFS forecast from T0. */
  readonly reference: StoreHandle;
  /** The GFS analysis: truth of day one. Null where day one is scored against ERA5. */
  readonly analysis: StoreHandle | null;
  /** Their fields, kept while many miners are scored on them. */
  readonly fields: FieldCache;
}
