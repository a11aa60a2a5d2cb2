import {
  type Array as ZarrArray,
  type AsyncReadable,
  type DataType,
  open,
  root,
  withByteCaching,
  withMaybeConsolidatedMetadata,
} from 'zarrita';
import { CategorizedError } from '#semconv';
import { type ArrayDescription, describeArray, type ZarrFormat } from './array-description.ts';
import { invalidStore, toGridError } from './grid-errors.ts';
import { registerBoundedCodecs } from './codecs/bounded-codecs.ts';
import { withLibraryMetadata } from './codecs/library-metadata.ts';
import { isMetadataFile, withPlainMetadata } from './plain-metadata.ts';

/** The root of a Zarr hierarchy with a known format. Metadata, small and read repeatedly, is fetched at most once. */
export interface ZarrGroup {
  readonly store: AsyncReadable;
  readonly format: ZarrFormat;
  /** Names of the arrays, where consolidated metadata or a directory lists them. */
  readonly arrayNames: ReadonlySet<string> | undefined;
}

/**
 * Detects the format of a store.
 *
 * @param folders what may be an array of a store without consolidated metadata; undefined where nobody can list that
 * @throws CategorizedError `not_found` where there is no group at the root.
 */
export async function openZarrGroup(source: AsyncReadable, folders?: readonly string[]): Promise<ZarrGroup> {
  const plain = withPlainMetadata(source);
  const cached = withByteCaching(plain, { keyFor: (path) => (isMetadataFile(path) ? path : undefined) });
  const store = await withMaybeConsolidatedMetadata(cached, { format: ['v2', 'v3'] });
  const arrayNames =
    'contents' in store
      ? new Set(
          store
            .contents()
            .filter(({ kind }) => kind === 'array')
            .map(({ path }) => path.slice(1)),
        )
      : folders && new Set(folders);
  if ((await store.get('/.zgroup')) !== undefined) return { store, format: 2, arrayNames };
  if ((await store.get('/zarr.json')) !== undefined) return { store, format: 3, arrayNames };
  const other = await describeOtherFormat(cached);
  if (other !== null) throw invalidStore(other);
  throw new CategorizedError(
    'not_found',
    'There is no Zarr group here: neither .zgroup nor zarr.json exists. Check the address of the store.',
  );
}

/** The metadata of one array; undefined where the group has none of this name. */
export async function readArrayDescription(
  { store, format, arrayNames }: ZarrGroup,
  name: string,
): Promise<ArrayDescription | undefined> {
  if (arrayNames?.has(name) === false) return undefined;
  const array = await readJson(store, `/${name}/${format === 2 ? '.zarray' : 'zarr.json'}`);
  if (array === undefined) return undefined;
  const attributes = format === 2 ? await readJson(store, `/${name}/.zattrs`) : undefined;
  return describeArray(name, format, { array, attributes });
}

/** Opens an array whose metadata `readArrayDescription` has validated. */
export async function openArray({ store, format }: ZarrGroup, name: string): Promise<ZarrArray<DataType>> {
  registerBoundedCodecs();
  const location = root(withLibraryMetadata(store)).resolve(name);
  try {
    return await (format === 2 ? open.v2 : open.v3)(location, { kind: 'array' });
  } catch (error) {
    throw toGridError(error, `Array ${name}`);
  }
}

async function readJson(store: AsyncReadable, key: `/${string}`): Promise<unknown> {
  const bytes = await store.get(key);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (error) {
    throw invalidStore(`File ${key} is not JSON.`, error);
  }
}

/** What files of other formats begin with, and what can be done with them. */
const FILES: readonly (readonly [begins: RegExp, what: string, remedy: string])[] = [
  [/^PK\x03\x04/, 'a zip file', 'Unpack it, and name the directory that it holds.'],
  [
    /^\s*\{[^]*"(?:refs|\.zgroup|zarr\.json)"/,
    'a kerchunk file, which refers to data in other files',
    'Write the data as a store: xarray.open_dataset(file, engine="kerchunk").to_zarr(path).',
  ],
  [
    /^(?:\x89HDF|CDF)/,
    'a netCDF or HDF5 file',
    'Write it as a store: xarray.open_dataset(file).to_zarr(path).',
  ],
  [/^GRIB/, 'a GRIB file', 'Write it as a store: xarray.open_dataset(file, engine="cfgrib").to_zarr(path).'],
];

/** Enough for the first keys of a JSON document. */
const FIRST_BYTES = 4096;

/** What a location without a Zarr group holds, and what to do; null where it is none of the formats that people try. */
async function describeOtherFormat(store: AsyncReadable): Promise<string | null> {
  const consolidated = await store.get('/.zmetadata');
  if (consolidated !== undefined && /"record_size"\s*:/.test(new TextDecoder().decode(consolidated)))
    return 'This is a kerchunk directory (Parquet references), which refers to data in other files. Write the data as a store with xarray.';
  if (await isThere(store, ['/refs/branch.main/ref.json', '/repo']))
    return 'This is an Icechunk repository. Write a snapshot of it as a store: xarray.open_zarr(session.store).to_zarr(path).';
  // The location itself, where it is a file.
  const first = await store.getRange?.('' as '/', { offset: 0, length: FIRST_BYTES }).catch(() => undefined);
  const text = Buffer.from(first ?? []).toString('latin1');
  const found = FILES.find(([begins]) => begins.test(text));
  return found === undefined ? null : `This is ${found[1]}, not a Zarr store. ${found[2]}`;
}

async function isThere(store: AsyncReadable, keys: readonly `/${string}`[]): Promise<boolean> {
  for (const key of keys) {
    const found = await store.get(key).catch(() => undefined);
    if (found !== undefined) return true;
  }
  return false;
}
