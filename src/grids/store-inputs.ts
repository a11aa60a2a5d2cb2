import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { type AsyncReadable, get } from 'zarrita';
import { scrubText } from '#semconv/scrub';
import type { ArrayDescription } from './array-description.ts';
import type { Coordinates } from './coordinates.ts';
import type { StoreInputs } from './grid-store.ts';
import { hashFile } from './codecs/heavy-work.ts';
import type { ShardRead } from './read-limits.ts';
import { openArray, type ZarrGroup } from './zarr-group.ts';

/** Where a store is, as it may be recorded. */
export type StoreOrigin = Pick<StoreInputs, 'kind' | 'address'>;

/** The origin of a store that is given by its location; `stream` for a store of bytes that a program made. */
export function originOf(source: string | ReadonlyMap<string, Uint8Array> | AsyncReadable): StoreOrigin {
  if (source instanceof Map) return { kind: 'memory', address: null };
  if (typeof source !== 'string') return { kind: 'stream', address: null };
  return /^https?:/i.test(source)
    ? { kind: 'http', address: toAddress(source) }
    : { kind: 'directory', address: scrubText(source) };
}

/** An address without host, user and query: what may be secret or names a machine. */
export const toAddress = (url: string): string => scrubText(url.replace(/[?#].*$/s, ''));

/**
 * What the bytes of an array mean: its metadata without its length, which grows with each time that is appended, and without
 * attributes that say nothing of the values; and the grid. As SHA-256, hex.
 */
export async function meaningOf(
  { store, format }: ZarrGroup,
  description: ArrayDescription,
  { latitudes, longitudes }: Pick<Coordinates, 'latitudes' | 'longitudes'>,
): Promise<string> {
  const bytes = await store.get(`/${description.name}/${format === 2 ? '.zarray' : 'zarr.json'}`);
  const document = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
  const layout = Object.entries(document).filter(([name]) => name !== 'shape' && name !== 'attributes');
  const { dimensionNames, scaleFactor, addOffset, isOtherSign, missingValues } = description;
  const packing = [dimensionNames, scaleFactor, addOffset, isOtherSign, missingValues.map(String)];
  const hash = createHash('sha256').update(JSON.stringify([layout, packing, latitudes.length]));
  return hash.update(latitudes).update(longitudes).digest('hex');
}

/** More would be no times. */
const MOST_VERSIONS = 1_000_000;

/**
 * Creates a reader of the experiment version (`expver`) of ERA5, which tells final fields (`0001`) from preliminary ones (ERA5T,
 * `0005`): an array beside the fields, with one value or one for each time. Read at the first call.
 *
 * @returns null where the store has none, `unreadable` for one that is neither text nor number
 */
export function createExpverReader(
  group: ZarrGroup,
  times: Coordinates['times'],
): (validTime: Date) => Promise<string | null> {
  let versions: Promise<readonly string[] | null> | undefined;
  return async (validTime) => {
    versions ??= readVersions(group).catch(() => ['unreadable']);
    const found = await versions;
    const index = times.indexOf(validTime);
    if (found === null || index === undefined) return null;
    return (found.length === 1 ? found[0] : found[index.time]) ?? null;
  };
}

async function readVersions(group: ZarrGroup): Promise<readonly string[] | null> {
  const { store, format, arrayNames } = group;
  if (arrayNames?.has('expver') === false) return null;
  if ((await store.get(`/expver/${format === 2 ? '.zarray' : 'zarr.json'}`)) === undefined) return null;
  const array = await openArray(group, 'expver');
  if (array.shape.length > 1 || (array.shape[0] ?? 1) > MOST_VERSIONS) return ['unreadable'];
  const read: unknown = await get(array, null);
  const values =
    typeof read === 'object' && read !== null && 'data' in read ? (read.data as Iterable<unknown>) : [read];
  return [...values].map((value) => toExpver(String(value)));
}

/** `5`, `5.0` and `0005` are one version. */
function toExpver(text: string): string {
  const [, digits] = /^0*(\d{1,4})(?:\.0)?$/.exec(text.replaceAll('\0', '').trim()) ?? [];
  return digits === undefined ? text.slice(0, 8) : digits.padStart(4, '0');
}

/** A store of bytes that knows the hash of a file without hashing it again, because it has just verified it. */
export interface HashedFiles {
  /** As `hashFile`; undefined for a file that it does not know. */
  readonly hashOf?: (key: string) => string | undefined;
}

/** What a read gave, and the digest of the bytes that it took from the store. */
export interface Digested<Value> {
  readonly value: Value;
  /** SHA-256, hex. */
  readonly digest: string;
}

/** A store of bytes whose reads can be digested. */
export interface DigestingStore {
  readonly store: AsyncReadable;
  /**
   * Runs one read, and digests the files and ranges that it takes, in the order of their keys: neither timing nor concurrent
   * reads change the digest.
   *
   * @param meaning a hash of what the bytes are read as, which is digested before them
   */
  digest<Value>(meaning: string, read: () => Promise<Value>): Promise<Digested<Value>>;
}

/** The pieces of one read: key, and hash of the content. */
type Pieces = Map<string, string>;

const ABSENT = 'absent';
const OFFSET_DIGITS = 16;

/**
 * Decorator that digests what is read, for any store of bytes. Pieces are attributed to the read that asked for them by its
 * asynchronous context.
 *
 * The index of a shard, which is read once for all chunks, is left out: the ranges that it gives are digested. A chunk that is absent
 * counts as such.
 */
export function withReadDigests(source: AsyncReadable & HashedFiles): DigestingStore {
  const current = new AsyncLocalStorage<Pieces>();
  const getRange = source.getRange?.bind(source);
  const store: AsyncReadable = {
    ...(getRange && {
      async getRange(key, range, options: ShardRead = {}) {
        const pieces = current.getStore();
        const bytes = await getRange(key, range, options);
        if (pieces === undefined || options.isIndex === true || 'suffixLength' in range) return bytes;
        // Padded, so that the order of the names is that of the offsets.
        const piece = `${key}@${String(range.offset).padStart(OFFSET_DIGITS, '0')}`;
        pieces.set(piece, bytes === undefined ? ABSENT : hashFile(piece.slice(1), bytes));
        return bytes;
      },
    }),
    async get(key, options) {
      const pieces = current.getStore();
      const bytes = await source.get(key, options);
      if (pieces === undefined) return bytes;
      const hash = (): string => (bytes && (source.hashOf?.(key) ?? hashFile(key.slice(1), bytes))) ?? ABSENT;
      pieces.set(key, hash());
      return bytes;
    },
  };
  return {
    store,
    async digest(meaning, read) {
      const pieces: Pieces = new Map();
      const value = await current.run(pieces, read);
      return { value, digest: digestOf(meaning, pieces) };
    },
  };
}

function digestOf(meaning: string, pieces: Pieces): string {
  const hash = createHash('sha256').update(meaning);
  for (const key of [...pieces.keys()].sort()) hash.update(`\n${pieces.get(key) ?? ABSENT}`);
  return hash.digest('hex');
}
