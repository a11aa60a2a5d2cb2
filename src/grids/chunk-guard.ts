import type { AsyncReadable } from 'zarrita';
import { type ArrayDescription, decodedChunkBytes } from './array-description.ts';
import { invalidStore } from './grid-errors.ts';
import { isMetadataFile } from './plain-metadata.ts';
import { mostStoredBytes, readAtMost } from './read-limits.ts';
import { readShardRange } from './shard-guard.ts';

/** Bytes of the header of a Blosc 1 container. */
const BLOSC_HEADER_BYTES = 16;

/** Codecs after which a chunk still has the bytes of the array's own data type. */
const SIZE_KEEPING_CODECS = ['blosc', 'bytes', 'transpose', 'shuffle'];

export interface ChunkGuardOptions {
  readonly arrays: readonly ArrayDescription[];
  /** Whether an absent chunk is an error even where the array has a fill value. */
  readonly requireChunks: boolean;
}

/**
 * Decorator that rejects chunk files which would decode to wrong values without an error.
 *
 * The Blosc decoder returns uninitialised memory for a truncated chunk, and trusts the sizes in its header; an absent
 * chunk of an array without a fill value would read as zeros. Corruption inside a chunk of the right size is detected
 * by a manifest only.
 */
export function withChunkGuard(
  store: AsyncReadable,
  { arrays, requireChunks }: ChunkGuardOptions,
): AsyncReadable {
  const byName = new Map(arrays.map((array) => [array.name, array]));
  return {
    async getRange(key, range, options) {
      const array = byName.get(key.split('/')[1] ?? '');
      if (array?.shard == null) return store.getRange?.(key, range, options);
      const mustBeStored = requireChunks || !array.hasFillValue;
      const bytes = await readShardRange(key, range, {
        store,
        array: { ...array, shard: array.shard },
        mustBeStored,
      });
      if (bytes === undefined && mustBeStored)
        throw invalidStore(`Shard ${key} is absent; every chunk of ${array.name} must be stored.`);
      if (bytes !== undefined && !('suffixLength' in range) && array.shard.codecs.at(-1) === 'blosc')
        checkBloscSizes(key, bytes, array);
      return bytes;
    },
    async get(key, options) {
      const [, name = ''] = key.split('/');
      const array = byName.get(name);
      if (array === undefined || isMetadataFile(key)) return store.get(key, options);
      const maxBytes = mostStoredBytes(decodedChunkBytes(array));
      const bytes = await readAtMost(store, key, { ...options, maxBytes });
      if (bytes !== undefined) {
        if (array.codecs.at(-1) === 'blosc') checkBloscSizes(key, bytes, array);
      } else if (requireChunks || !array.hasFillValue) {
        throw invalidStore(`Chunk ${key} is absent; every chunk of ${name} must be stored.`);
      }
      return bytes;
    },
  };
}

/** Blosc 1 header: uncompressed size at byte 4, whole size at byte 12, both little-endian. */
function checkBloscSizes(key: string, bytes: Uint8Array, array: ArrayDescription): void {
  const expected = decodedChunkBytes(array);
  if (bytes.byteLength < BLOSC_HEADER_BYTES) {
    throw invalidStore(`Chunk ${key} has ${String(bytes.byteLength)} bytes, too few for a Blosc header.`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, BLOSC_HEADER_BYTES);
  const decodedSize = header.getUint32(4, true);
  const storedSize = header.getUint32(12, true);
  if (storedSize !== bytes.byteLength) {
    throw invalidStore(
      `Chunk ${key} has ${String(bytes.byteLength)} bytes where its header has ${String(storedSize)}: it is truncated or corrupt.`,
    );
  }
  const codecs = array.shard?.codecs ?? array.codecs;
  if (codecs.every((codec) => SIZE_KEEPING_CODECS.includes(codec)) && decodedSize !== expected) {
    throw invalidStore(
      `Chunk ${key} claims a decoded size of ${String(decodedSize)} bytes; the array's chunks have ${String(expected)}.`,
    );
  }
}
