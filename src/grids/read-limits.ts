import type { AsyncReadable } from 'zarrita';
import { type ArrayDescription, bytesOf, decodedChunkBytes } from './array-description.ts';
import { invalidStore } from './grid-errors.ts';

/** Consolidated metadata of hundreds of variables fits; more is a mistake or an attack. */
export const MOST_METADATA_BYTES = 2 ** 20;
/** Parsing an empty object costs a microsecond and more for its three bytes, so that bytes alone bound no time. */
const MOST_METADATA_VALUES = 2 ** 15;
/** More than a day of global 0.25 degree fields in one chunk or field is a mistake or an attack. */
export const MOST_FIELD_BYTES = 2 ** 30;
/** A request and a decoding each: tiles of 64 points of a global field at 0.1 degrees are a third of them. */
const MOST_CHUNKS_OF_A_READ = 2 ** 14;
/** A stored chunk is at most a little longer than what it holds, where a filter widens its values to 8 bytes. */
const MOST_GROWTH = 2;
const MOST_OVERHEAD_BYTES = 65_536;

/** How a file is read. A store that transfers or allocates stops at `maxBytes`. */
export interface BoundedRead {
  readonly signal?: AbortSignal;
  readonly maxBytes?: number;
}

/** How a part of a shard is read. Its index is no content of a field, wherever in the shard it stands. */
export interface ShardRead {
  readonly signal?: AbortSignal;
  readonly isIndex?: boolean;
}

/** The most bytes that a chunk of so many decoded bytes has in a store. */
export const mostStoredBytes = (decodedBytes: number): number =>
  decodedBytes * MOST_GROWTH + MOST_OVERHEAD_BYTES;

/** @throws CategorizedError `invalid_response` for a longer file, also from a store that knows no limit */
export async function readAtMost(
  store: AsyncReadable,
  key: `/${string}`,
  options: BoundedRead & { readonly maxBytes: number },
): Promise<Uint8Array | undefined> {
  const bytes = await store.get(key, options);
  if (bytes === undefined || bytes.byteLength <= options.maxBytes) return bytes;
  throw fileTooLong(key, options.maxBytes);
}

export const fileTooLong = (key: string, maxBytes: number) =>
  invalidStore(`File ${key} is longer than the ${String(maxBytes)} bytes that are allowed.`);

const OPEN_OBJECT = '{'.charCodeAt(0);
const OPEN_LIST = '['.charCodeAt(0);
const COMMA = ','.charCodeAt(0);

/** Counts what makes a document long to parse, which takes a millisecond where parsing takes seconds. */
export function requireFewValues(key: string, bytes: Uint8Array): void {
  let values = 0;
  for (const byte of bytes) if (byte === COMMA || byte === OPEN_OBJECT || byte === OPEN_LIST) values += 1;
  if (values <= MOST_METADATA_VALUES) return;
  throw invalidStore(
    `File ${key} holds ${String(values)} values; at most ${String(MOST_METADATA_VALUES)} are allowed in metadata.`,
  );
}

/** The part of an array that is read at once, by its axes; the others are read at one index. */
export interface PlannedRead {
  readonly isWhole: (axis: number) => boolean;
  readonly maxBytes: number;
}

/**
 * Requires that a read is of a size that forecasts have, by the metadata alone, before anything is requested or allocated.
 *
 * @throws CategorizedError `invalid_response` for values or a chunk of more bytes than `maxBytes`, and for more chunks than any
 * store is cut into
 */
export function requireReadable(array: ArrayDescription, { isWhole, maxBytes }: PlannedRead): void {
  const values = array.shape.reduce(
    (product, length, axis) => product * (isWhole(axis) ? length : 1),
    bytesOf(array.dataType),
  );
  const limit = `at most ${String(maxBytes)} are allowed.`;
  if (values > maxBytes)
    throw invalidStore(`A read of array ${array.name} is ${String(values)} bytes; ${limit}`);
  const chunk = decodedChunkBytes(array);
  if (chunk > maxBytes)
    throw invalidStore(`Array ${array.name} has chunks of ${String(chunk)} bytes; ${limit}`);
  const chunks = chunksOf(array, isWhole);
  if (chunks <= MOST_CHUNKS_OF_A_READ) return;
  throw invalidStore(
    `A read of array ${array.name} is cut into ${String(chunks)} chunks of ${String(chunk)} bytes; ` +
      `at most ${String(MOST_CHUNKS_OF_A_READ)} are allowed. Store it in larger chunks.`,
  );
}

/** How many chunks hold one read. */
export function chunksOf(array: ArrayDescription, isWhole: (axis: number) => boolean): number {
  const lengths = array.shard?.chunkShape ?? array.chunkShape;
  return array.shape.reduce(
    (product, length, axis) => product * (isWhole(axis) ? Math.ceil(length / (lengths[axis] ?? 1)) : 1),
    1,
  );
}

/** Bytes of memory that reads may hold together. */
interface ByteBudget {
  /** Does the work once its bytes are free, first come, first served. Work larger than the whole budget is done alone. */
  run<T>(bytes: number, work: () => Promise<T>): Promise<T>;
}

/** A semaphore over bytes: who finds too few waits, and does not fail. Work must not ask for more of the budget itself. */
function createByteBudget(total: number): ByteBudget {
  let free = total;
  const waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  const beginNext = (): void => {
    for (let [next] = waiting; next !== undefined && next.bytes <= free; [next] = waiting) {
      waiting.shift();
      free -= next.bytes;
      next.begin();
    }
  };
  return {
    async run(wanted, work) {
      const bytes = Math.min(wanted, total);
      await new Promise<void>((begin) => {
        waiting.push({ bytes, begin });
        beginNext();
      });
      try {
        return await work();
      } finally {
        free += bytes;
        beginNext();
      }
    },
  };
}

/** A global field at 0.25 degrees in double precision is an ordinary one. */
const LARGE_PART = 16;

/**
 * A budget in two halves, one for what is larger than a sixteenth of it: a server that sends large chunks slowly keeps no ordinary
 * field waiting.
 */
export function createFieldBudget(total: number): ByteBudget {
  const [ordinary, large] = [createByteBudget(total / 2), createByteBudget(total / 2)];
  return { run: (bytes, work) => (bytes > total / LARGE_PART ? large : ordinary).run(bytes, work) };
}
