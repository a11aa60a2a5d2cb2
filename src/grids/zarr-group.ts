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
import { describeOtherFormat } from './other-formats.ts';
import { isMetadataFile, withPlainMetadata } from './plain-metadata.ts';

/** The root of a Zarr hierarchy with a known format. Metadata, small and read repeatedly, is fetched at most once. */
export interface ZarrGroup {
  readonly store: AsyncReadable;
  readonly format: ZarrFormat;
  /** Names of the arrays, where consolidated metadata lists them. */
  readonly arrayNames: ReadonlySet<string> | undefined;
}

/**
 * Detects the format of a store.
 *
 * @throws CategorizedError `not_found` where there is no group at the root.
 */
export async function openZarrGroup(source: AsyncReadable): Promise<ZarrGroup> {
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
      : undefined;
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
