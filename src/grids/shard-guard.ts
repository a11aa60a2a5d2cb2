import type { AsyncReadable, RangeQuery } from 'zarrita';
import { type ArrayDescription, bytesOf } from './array-description.ts';
import { invalidStore } from './grid-errors.ts';
import { mostStoredBytes } from './read-limits.ts';

/** Bytes of the offset and length of one chunk in the index of a shard, both uint64, little-endian. */
const ENTRY_BYTES = 16;
const LARGEST_NUMBER_BYTES = 8;
/** An absent chunk: all bits of its offset and length are set. */
const ABSENT = 2n ** 64n - 1n;

/** A sharded array of which nothing has been read yet. */
export interface ShardedArray extends ArrayDescription {
  readonly shard: NonNullable<ArrayDescription['shard']>;
}

/** How a shard is read, and whether an absent chunk is an error. */
export interface ShardGuard {
  readonly store: AsyncReadable;
  readonly array: ShardedArray;
  readonly mustBeStored: boolean;
}

/**
 * Reads a part of a shard: first its index, from the end, then chunks by what the index says of them.
 *
 * @throws CategorizedError `invalid_response` for a shard that is too short for its index or for a chunk, for chunks that overlap,
 * that are longer than any codec makes them, or absent where each must be stored
 */
export async function readShardRange(
  key: `/${string}`,
  range: RangeQuery,
  { store, array, mustBeStored }: ShardGuard,
): Promise<Uint8Array | undefined> {
  const wanted = 'suffixLength' in range ? range.suffixLength : range.length;
  if (!('suffixLength' in range)) requireLikelyLength(key, range.length, array);
  const bytes = await store.getRange?.(key, range);
  if (bytes === undefined) return undefined;
  if (bytes.byteLength !== wanted)
    throw invalidStore(
      `Shard ${key} ends after ${String(bytes.byteLength)} of ${String(wanted)} bytes: it is truncated or corrupt.`,
    );
  if ('suffixLength' in range) checkIndex(key, bytes, { array, mustBeStored });
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
