import { type GridDataset, writeGridStore, type WriteGridStoreOptions } from '#grids';

/** Valid times of the small store: 12 and 24 hours after the start of 2026. */
export const VALID_TIMES = [new Date('2026-01-01T12:00:00Z'), new Date('2026-01-02T00:00:00Z')] as const;

const LATITUDES = [60, 0, -60];
const LONGITUDES = [0, 90, 180, 270];

/** Value of the small store at a point: different for every field and point. */
function smallValue(field: { hour: number; level: number }, row: number, column: number): number {
  return 250 + field.hour + field.level / 100 + row * 10 + column;
}

/** The whole field of the small store, row-major. */
export function smallField(validTime: Date, level: number): Float32Array {
  const hour = (validTime.getTime() - Date.UTC(2026, 0, 1)) / 3_600_000;
  return Float32Array.from(
    LATITUDES.flatMap((_, row) => LONGITUDES.map((__, column) => smallValue({ hour, level }, row, column))),
  );
}

/** `2t` at the surface and `t` at 850 and 500 hPa, on 3 by 4 points, at two times. */
export function smallDataset(): GridDataset {
  return {
    latitudes: Float64Array.from(LATITUDES),
    longitudes: Float64Array.from(LONGITUDES),
    validTimes: VALID_TIMES,
    pressureLevelsHpa: [850, 500],
    variables: [
      { name: '2t', units: 'K', onLevels: false, field: ({ validTime }) => smallField(validTime, 0) },
      {
        name: 't',
        units: 'K',
        onLevels: true,
        field: ({ validTime, pressureHpa }) => smallField(validTime, pressureHpa ?? 0),
      },
    ],
  };
}

/** The files of the small store, for tests that read or corrupt them. */
export async function smallFiles(
  options: WriteGridStoreOptions = { zarrFormat: 2 },
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  await writeGridStore(files, smallDataset(), options);
  return files;
}

/** The small store without consolidated metadata, so that each array's own metadata applies. */
export async function plainFiles(): Promise<Map<string, Uint8Array>> {
  const files = await smallFiles();
  files.delete('.zmetadata');
  return files;
}

/** Puts a JSON document into a store. */
export function setJson(files: Map<string, Uint8Array>, path: string, document: unknown): void {
  files.set(path, new TextEncoder().encode(JSON.stringify(document)));
}

/** Changes some members of a JSON document in a store. */
export function patchJson(files: Map<string, Uint8Array>, path: string, changes: object): void {
  const document = JSON.parse(new TextDecoder().decode(files.get(path))) as object;
  setJson(files, path, { ...document, ...changes });
}

/** Puts an uncompressed array of format 2 into a store, as one chunk. */
export function setRawArray(
  files: Map<string, Uint8Array>,
  name: string,
  array: {
    dtype: string;
    shape: readonly number[];
    values: ArrayBufferView;
    attributes: object;
    fillValue?: unknown;
    order?: 'C' | 'F';
  },
): void {
  const { dtype, shape, values, attributes, fillValue = null, order = 'C' } = array;
  setJson(files, `${name}/.zarray`, {
    zarr_format: 2,
    shape,
    chunks: shape,
    dtype,
    compressor: null,
    filters: null,
    fill_value: fillValue,
    order,
  });
  setJson(files, `${name}/.zattrs`, attributes);
  for (const path of [...files.keys()]) {
    if (path.startsWith(`${name}/`) && !path.includes('/.z')) files.delete(path);
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  files.set(`${name}/${shape.map(() => '0').join('.')}`, bytes);
}

/** The rejection of a promise; a fulfilled promise fails the test. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected a rejection, got a value');
    },
    (error: unknown) => error,
  );
}
