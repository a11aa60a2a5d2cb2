import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { openGridStore, type GridSource, type GridStore, type GridStoreOptions } from '#grids';
import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';

/** The sources of a run's stores: locations, or stores in memory. */
export type StoreSources = { readonly [Name in keyof StoreLocations]: StoreLocations[Name] | GridSource };

/** The locations of a run's stores: a local path or an http(s) URL each. */
export interface StoreLocations {
  readonly truth: string;
  readonly climatology: string;
  readonly reference: string;
  readonly analysis?: string | undefined;
}

/**
 * The locations that may be kept beside a run, to open the stores again: not those in memory, nor addresses with a user or a
 * query, which may be secret.
 */
export function locationsToKeep(
  sources: StoreSources,
): Readonly<Partial<Record<keyof StoreLocations, string>>> {
  const kept = Object.entries(sources).flatMap(([name, source]: [string, unknown]): [string, string][] => {
    if (typeof source !== 'string') return [];
    if (!/^https?:/i.test(source)) return [[name, resolve(source)]];
    return /[?#@]/.test(source) ? [] : [[name, source]];
  });
  return Object.fromEntries(kept);
}

/**
 * Opens a store that an option names.
 *
 * @throws CategorizedError that names the option and the reason
 */
export async function openNamedStore(
  option: string,
  location: GridSource,
  options: Pick<GridStoreOptions, 'onRead'> = {},
): Promise<GridStore> {
  try {
    const allowsDayOfYear = option === '--climatology';
    return await openGridStore(location, {
      timeMissingCategory: 'truth_missing',
      allowsDayOfYear,
      ...options,
    });
  } catch (error) {
    const category = error instanceof CategorizedError ? error.category : 'unknown';
    const advice = category === 'not_found' && typeof location === 'string' ? await adviceOn(location) : '';
    const reason = `${messageOf(error)}${advice}`;
    throw new CategorizedError(category, `${option} cannot be read as a Zarr store: ${reason}`, {
      cause: error,
    });
  }
}

/** Stores below a directory that a message names. */
const MOST_NAMES = 5;

/** What a location is where it is no store, told from without. Names the directory, not its folder. */
async function adviceOn(location: string): Promise<string> {
  const [, scheme] = /^([a-z][\w+.-]*):\/\//i.exec(location) ?? [];
  if (scheme !== undefined && !/^https?$/i.test(scheme))
    return ` A store is a directory or an http(s) URL, and ${scheme}:// is neither: gs://BUCKET/PATH is https://storage.googleapis.com/BUCKET/PATH.`;
  if (scheme !== undefined) return '';
  const name = basename(location);
  const entries = await readdir(location).catch(() => null);
  if (entries === null) return ` No directory ${name} can be read.`;
  const stores = entries.filter((entry) => entry.endsWith('.zarr')).sort();
  if (stores.length === 0) return '';
  const named = stores.slice(0, MOST_NAMES).join(', ');
  return ` ${name} holds ${named}${stores.length > MOST_NAMES ? ', …' : ''}: name one store.`;
}

/** Reads every file of a Zarr store, by its path inside the store. */
export async function readStoreFiles(directory: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(
    files.map(async (file) => [relative(directory, file), new Uint8Array(await readFile(file))] as const),
  );
  return new Map(contents);
}

/**
 * The Zarr stores directly below a directory, in the order of their names.
 *
 * @throws CategorizedError when there is none.
 */
export async function findStores(directory: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = (await readdir(directory, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && entry.name.endsWith('.zarr'))
      .map(({ name }) => name);
  } catch {
    names = [];
  }
  if (names.length > 0) return [...names].sort().map((name) => join(directory, name));
  throw new CategorizedError(
    'not_found',
    `--forecasts ${basename(directory)} holds no store; name a directory with one or more NAME.zarr directories in it.`,
  );
}
