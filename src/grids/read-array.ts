import { type Array as ZarrArray, type DataType, defineArrayExtension, get } from 'zarrita';
import { invalidStore, toGridError } from './grid-errors.ts';

/** Values of a selection, with the distance between neighbours along each axis that is left. */
export interface StridedValues {
  readonly data: ArrayLike<number | bigint>;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Decoders do not check that a chunk has all its values; one that is too short would leave gaps. */
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

/**
 * Reads one value of each axis that has an index, and all values of each axis that has null.
 *
 * @throws CategorizedError `invalid_response` for chunks that cannot be decoded; errors of the store as they are.
 */
export async function readArray(
  array: ZarrArray<DataType>,
  selection: readonly (number | null)[],
): Promise<StridedValues> {
  try {
    const chunk = await get(withFullChunks(array), [...selection]);
    if (typeof chunk === 'object' && 'data' in chunk) {
      return { data: chunk.data as ArrayLike<number | bigint>, shape: chunk.shape, strides: chunk.stride };
    }
  } catch (error) {
    throw toGridError(error, `Array ${array.path}`);
  }
  throw invalidStore(`Array ${array.path} has no axis left in the selection.`);
}

/** Text arrays have no length that matters here; they are refused when they are described. */
function lengthOf(data: object): number {
  return 'length' in data ? Number(data.length) : 0;
}
