import { createHash } from 'node:crypto';
import { type AsyncReadable, get } from 'zarrita';
import { scrubText } from '#semconv/scrub';
import type { ArrayDescription } from './array-description.ts';
import type { Coordinates } from './coordinates.ts';
import type { StoreInputs } from './grid-store.ts';
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
