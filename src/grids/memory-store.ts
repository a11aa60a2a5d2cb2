import type { AsyncReadable } from 'zarrita';

/** Reads files held in memory, by their path relative to the store's root without a leading slash. */
export function createMemoryStore(files: ReadonlyMap<string, Uint8Array>): AsyncReadable {
  return { get: (key) => Promise.resolve(files.get(key.slice(1))) };
}
