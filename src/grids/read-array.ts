import { type Array as ZarrArray, type Chunk, type DataType, defineArrayExtension, get } from 'zarrita';
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
 * Reads one value of each axis that has an index, and all values of each axis that has null. The values may be those that
 * the store holds: they are only to be read.
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
      return keptAxes(await checked.getChunk(selection.map((index) => index ?? 0)), selection);
    }
    const chunk = await get(checked, [...selection]);
    if (typeof chunk === 'object' && 'data' in chunk) {
      return { data: chunk.data as ArrayLike<number | bigint>, shape: chunk.shape, strides: chunk.stride };
    }
  } catch (error) {
    throw toGridError(error, `Array ${array.path}`);
  }
  throw invalidStore(`Array ${array.path} has no axis left in the selection.`);
}

/** Whether a selection is exactly what one chunk holds, so that nothing has to be copied out of it. */
function isOneChunk({ shape, chunks }: ZarrArray<DataType>, selection: readonly (number | null)[]): boolean {
  return (
    selection.includes(null) &&
    selection.every((index, axis) => chunks[axis] === (index === null ? shape[axis] : 1))
  );
}

/** A chunk without the axes on which it has one value. */
function keptAxes(chunk: Chunk<DataType>, selection: readonly (number | null)[]): StridedValues {
  const isKept = (_: number, axis: number): boolean => selection[axis] === null;
  return {
    data: chunk.data as ArrayLike<number | bigint>,
    shape: chunk.shape.filter(isKept),
    strides: chunk.stride.filter(isKept),
  };
}

/** Text arrays have no length that matters here; they are refused when they are described. */
function lengthOf(data: object): number {
  return 'length' in data ? Number(data.length) : 0;
}
