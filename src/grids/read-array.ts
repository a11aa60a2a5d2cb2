import { type Array as ZarrArray, type Chunk, type DataType, defineArrayExtension, get } from 'zarrita';
import { invalidStore, toGridError } from './grid-errors.ts';

/** Values of a selection, with the stride of each remaining axis. */
export interface StridedValues {
  readonly data: ArrayLike<number | bigint>;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Rejects short chunks: decoders do not check the number of values, and a short chunk would leave gaps. */
const withFullChunks = defineArrayExtension((array) => ({
  async getChunk(coordinates: number[], options?: { signal?: AbortSignal }) {
    const chunk = await array.getChunk(coordinates, options);
    const expected = array.chunks.reduce((product, length) => product * length, 1);
    if (lengthOf(chunk.data) === expected) return chunk;
    throw invalidStore(
      `Chunk ${coordinates.join('.')} of ${array.path} holds ${String(lengthOf(chunk.data))} values instead of ` +
        `${String(expected)}: it is truncated or corrupt.`,
    );
  },
}));

/** As many chunks of one read are fetched and unpacked together; an array may be cut into thousands. */
export const CHUNKS_AT_ONCE = 16;

/** The line of the chunks of one read. After the first that fails no other is begun. */
function createChunkQueue() {
  const waiting: (() => Promise<void>)[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await next().catch((error: unknown) => {
        waiting.length = 0;
        throw error;
      });
    }
  };
  return {
    add: (chunk: () => Promise<void>) => void waiting.push(chunk),
    onIdle: () => Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, work)),
  };
}

/**
 * Reads one index of each axis that has one, and all values of each axis that has null. The values may be a view of the
 * store's own memory: callers must not write to them.
 *
 * @throws CategorizedError `invalid_response` for chunks that cannot be decoded; errors of the store as they are.
 */
export async function readArray(
  array: ZarrArray<DataType>,
  selection: readonly (number | null)[],
): Promise<StridedValues> {
  try {
    const checked = withFullChunks(array);
    if (isOneChunk(array, selection)) {
      return squeeze(await checked.getChunk(selection.map((index) => index ?? 0)), selection);
    }
    const chunk = await get(checked, [...selection], { createQueue: createChunkQueue });
    if (typeof chunk === 'object' && 'data' in chunk) {
      return { data: chunk.data as ArrayLike<number | bigint>, shape: chunk.shape, strides: chunk.stride };
    }
  } catch (error) {
    throw toGridError(error, `Array ${array.path}`);
  }
  throw invalidStore(`Array ${array.path} has no axis left in the selection.`);
}

/** Fast path: whether a selection is exactly one chunk, which needs no copy. */
function isOneChunk({ shape, chunks }: ZarrArray<DataType>, selection: readonly (number | null)[]): boolean {
  return (
    (selection.includes(null) || selection.length === 0) &&
    selection.every((index, axis) => chunks[axis] === (index === null ? shape[axis] : 1))
  );
}

/** Drops the axes of length 1 that were selected by index. */
function squeeze(chunk: Chunk<DataType>, selection: readonly (number | null)[]): StridedValues {
  const isKept = (_: number, axis: number): boolean => selection[axis] === null;
  return {
    data: chunk.data as ArrayLike<number | bigint>,
    shape: chunk.shape.filter(isKept),
    strides: chunk.stride.filter(isKept),
  };
}

/** String arrays have no numeric length; `describeArray` has rejected them before. */
function lengthOf(data: object): number {
  return 'length' in data ? Number(data.length) : 0;
}
