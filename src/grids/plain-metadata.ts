import type { AsyncReadable } from 'zarrita';
import { MOST_METADATA_BYTES, readAtMost, requireFewValues } from './read-limits.ts';

const METADATA_FILES = ['zarr.json', '.zarray', '.zattrs', '.zgroup', '.zmetadata'];

/** Strings, which stay, and what Python's `json` writes for numbers that JSON does not have. */
const STRING_OR_BARE_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/g;

/** Whether a file of a store is metadata, not a chunk. */
export const isMetadataFile = (key: string): boolean =>
  METADATA_FILES.includes(key.slice(key.lastIndexOf('/') + 1));

/**
 * The same store with metadata that is JSON: a bare `NaN`, `Infinity` or `-Infinity`, as Python writes it, becomes the string by
 * which Zarr knows it.
 *
 * @throws CategorizedError `invalid_response` for a file that is longer, or holds more values, than metadata is: before it is parsed
 */
export function withPlainMetadata(store: AsyncReadable): AsyncReadable {
  return {
    ...(store.getRange && { getRange: store.getRange.bind(store) }),
    async get(key, options) {
      if (!isMetadataFile(key)) return store.get(key, options);
      const bytes = await readAtMost(store, key, { ...options, maxBytes: MOST_METADATA_BYTES });
      if (bytes === undefined) return undefined;
      requireFewValues(key, bytes);
      return toPlainJson(bytes);
    },
  };
}

function toPlainJson(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  if (!text.includes('NaN') && !text.includes('Infinity')) return bytes;
  const plain = text.replace(STRING_OR_BARE_NUMBER, (match) =>
    match.startsWith('"') ? match : JSON.stringify(match),
  );
  return new TextEncoder().encode(plain);
}
