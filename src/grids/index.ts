export type { ZarrFormat } from './array-description.ts';
export { hashFile } from './codecs/heavy-work.ts';
export { createDirectoryStore } from './directory-store.ts';
export { GridTimeMissingError } from './grid-errors.ts';
export {
  type FieldRequest,
  type Grid,
  type GridStore,
  type GridStoreOptions,
  type GridVariable,
  hasTime,
  readDigestedField,
} from './grid-store.ts';
export { createHttpStore } from './http-store.ts';
export { createInterpolator, isSameGrid } from './interpolate.ts';
export { createMemoryStore } from './directory-store.ts';
export { type GridSource, openGridStore } from './open-grid-store.ts';
export { toAddress } from './store-inputs.ts';
export { type FileManifest, type VerifiedStore, withManifestVerification } from './verified-store.ts';
export {
  type GridDataset,
  type GridDatasetVariable,
  type GridTarget,
  writeGridStore,
  type WriteGridStoreOptions,
} from './write-store.ts';
