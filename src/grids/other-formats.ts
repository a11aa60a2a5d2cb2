import type { AsyncReadable } from 'zarrita';

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
export async function describeOtherFormat(store: AsyncReadable): Promise<string | null> {
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
