import type { AsyncReadable, RangeQuery } from 'zarrita';
import { type ArrayDescription, bytesOf, decodedChunkBytes } from './array-description.ts';
import { invalidStore } from './grid-errors.ts';
import { isMetadataFile } from './plain-metadata.ts';
import { mostStoredBytes, readAtMost, type ShardRead } from './read-limits.ts';

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

/** Bytes of the offset and length of one chunk in the index of a shard, both uint64, little-endian. */
const ENTRY_BYTES = 16;
const LARGEST_NUMBER_BYTES = 8;
/** An absent chunk: all bits of its offset and length are set. */
const ABSENT = 2n ** 64n - 1n;

/** A sharded array of which nothing has been read yet. */
interface ShardedArray extends ArrayDescription {
  readonly shard: NonNullable<ArrayDescription['shard']>;
}

/** How a shard is read, and whether an absent chunk is an error. */
interface ShardGuard {
  readonly store: AsyncReadable;
  readonly array: ShardedArray;
  readonly mustBeStored: boolean;
}

/**
 * Reads a part of a shard: first its index, which the library expects at the end, then chunks by what the index says of them.
 *
 * @throws CategorizedError `invalid_response` for a shard that is too short for its index or for a chunk, for chunks that overlap,
 * that are longer than any codec makes them, or absent where each must be stored
 */
async function readShardRange(
  key: `/${string}`,
  range: RangeQuery,
  { store, array, mustBeStored }: ShardGuard,
): Promise<Uint8Array | undefined> {
  const isIndex = 'suffixLength' in range;
  const wanted = isIndex ? range.suffixLength : range.length;
  if (!isIndex) requireLikelyLength(key, range.length, array);
  const read: ShardRead = { isIndex };
  const place = isIndex && array.shard.isIndexFirst ? { offset: 0, length: wanted } : range;
  const bytes = await store.getRange?.(key, place, read);
  if (bytes === undefined) return undefined;
  if (bytes.byteLength !== wanted)
    throw invalidStore(
      `Shard ${key} ends after ${String(bytes.byteLength)} of ${String(wanted)} bytes: it is truncated or corrupt.`,
    );
  if (isIndex) checkIndex(key, bytes, { array, mustBeStored });
  // A part of a file that is held in memory may begin anywhere; numbers are read from a multiple of their size.
  return bytes.byteOffset % LARGEST_NUMBER_BYTES === 0 ? bytes : new Uint8Array(bytes);
}

function requireLikelyLength(key: string, length: number, array: ShardedArray): void {
  const decoded = array.shard.chunkShape.reduce((product, axis) => product * axis, bytesOf(array.dataType));
  const most = mostStoredBytes(decoded);
  if (length <= most) return;
  throw invalidStore(
    `Shard ${key} has a chunk of ${String(length)} bytes; one of ${String(decoded)} bytes is at most ${String(most)} long.`,
  );
}

/** Chunks lie one after another in any order, with gaps at most: two that share bytes are a mistake or an attack. */
function checkIndex(
  key: string,
  bytes: Uint8Array,
  { array, mustBeStored }: Pick<ShardGuard, 'array' | 'mustBeStored'>,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places: (readonly [from: number, to: number])[] = [];
  for (let entry = 0; entry < array.shard.chunks; entry += 1) {
    const offset = view.getBigUint64(entry * ENTRY_BYTES, true);
    const length = view.getBigUint64(entry * ENTRY_BYTES + 8, true);
    if (offset !== ABSENT || length !== ABSENT)
      places.push([Number(offset), Number(offset) + Number(length)]);
    else if (mustBeStored)
      throw invalidStore(`Chunk ${String(entry)} of shard ${key} is absent; every chunk must be stored.`);
  }
  places.sort(([a], [b]) => a - b);
  const overlapping = places.find(([from], at) => at > 0 && from < (places[at - 1]?.[1] ?? 0));
  if (overlapping !== undefined)
    throw invalidStore(`Shard ${key} has chunks that share bytes: it is corrupt.`);
}
