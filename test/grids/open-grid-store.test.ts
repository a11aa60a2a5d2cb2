import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AsyncReadable } from 'zarrita';
import { GridTimeMissingError, type GridStore, openGridStore, writeGridStore } from '#grids';
import { CategorizedError } from '#semconv';
import {
  patchJson,
  plainFiles,
  rejectionOf,
  setJson,
  setRawArray,
  smallDataset,
  smallField,
  smallFiles,
  VALID_TIMES,
} from './small-store.ts';

const [FIRST_TIME, SECOND_TIME] = VALID_TIMES;

async function expectSmallStore(store: GridStore): Promise<void> {
  expect(store.variables).toEqual([
    { name: '2t', pressureLevelsHpa: null, units: 'K' },
    { name: 't', pressureLevelsHpa: [850, 500], units: 'K' },
  ]);
  expect(store.validTimes).toEqual(VALID_TIMES);
  expect(store.latitudes).toEqual(Float64Array.of(60, 0, -60));
  expect(store.longitudes).toEqual(Float64Array.of(0, 90, 180, 270));
  for (const validTime of VALID_TIMES) {
    const surface = await store.readField({ variable: '2t', pressureHpa: null, validTime });
    expect(surface).toEqual(smallField(validTime, 0));
    for (const pressureHpa of [850, 500]) {
      const field = await store.readField({ variable: 't', pressureHpa, validTime });
      expect(field).toEqual(smallField(validTime, pressureHpa));
    }
  }
}

describe('openGridStore', () => {
  it.each([
    { zarrFormat: 2, codec: 'blosc' },
    { zarrFormat: 2, codec: 'zstd' },
    { zarrFormat: 3, codec: 'blosc' },
    { zarrFormat: 3, codec: 'zstd' },
  ] as const)('a store written with %j is read back equal', async (options) => {
    await expectSmallStore(await openGridStore(await smallFiles(options), { requireChunks: true }));
  });

  it('format 2 is read without consolidated metadata', async () => {
    await expectSmallStore(await openGridStore(await plainFiles()));
  });

  it('format 3 with consolidated metadata needs no request for each array', async () => {
    const files = await smallFiles({ zarrFormat: 3 });
    const metadata: Record<string, unknown> = {};
    for (const [path, bytes] of files) {
      const name = path.replace('/zarr.json', '');
      if (name === path) continue;
      metadata[name] = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
      files.delete(path);
    }
    patchJson(files, 'zarr.json', {
      consolidated_metadata: { kind: 'inline', must_understand: false, metadata },
    });
    await expectSmallStore(await openGridStore(files));
  });

  it('an array that only its standard name tells is found in a directory without consolidated metadata', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'grid-store-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const files = await plainFiles();
    const attributes = JSON.parse(new TextDecoder().decode(files.get('2t/.zattrs'))) as object;
    setJson(files, '2t/.zattrs', { ...attributes, standard_name: 'air_temperature' });
    for (const [path, bytes] of files) {
      const place = join(directory, path.replace(/^2t\//, 'surface_temp/'));
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, bytes);
    }
    const store = await openGridStore(directory);
    expect(store.variables.map(({ name }) => name)).toEqual(['t', '2t']);
  });

  it('a directory is read as a store', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'grid-store-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeGridStore(join(directory, 'new', 'small.zarr'), smallDataset(), { zarrFormat: 2 });
    await expectSmallStore(await openGridStore(join(directory, 'new', 'small.zarr')));
  });

  it('each metadata file is requested at most once, and none that consolidated metadata has', async () => {
    const files = await smallFiles();
    const asked: string[] = [];
    const source: AsyncReadable = {
      get: (key) => {
        asked.push(key);
        return Promise.resolve(files.get(key.slice(1)));
      },
    };
    const store = await openGridStore(source);
    await store.readField({ variable: '2t', pressureHpa: null, validTime: FIRST_TIME });
    expect(asked.sort()).toEqual([
      '/.zmetadata',
      '/2t/0.0.0',
      '/lat/0',
      '/lon/0',
      '/pressure_level/0',
      '/time/0',
    ]);
  });

  it('other arrays are ignored, even malformed ones', async () => {
    const files = await plainFiles();
    setJson(files, 'land_sea_mask/.zarray', { nonsense: true });
    await expectSmallStore(await openGridStore(files));
  });
});

describe('field encodings', () => {
  const asFloats = (values: readonly number[]) => Float32Array.from(values);
  const surface = ['time', 'lat', 'lon'];

  async function readRaw(array: Parameters<typeof setRawArray>[2]): Promise<Float32Array> {
    const files = await plainFiles();
    setRawArray(files, 'msl', array);
    const store = await openGridStore(files);
    return store.readField({ variable: 'msl', pressureHpa: null, validTime: SECOND_TIME });
  }

  it('16-bit integers are unpacked, with NaN for missing values', async () => {
    const values = Int16Array.from({ length: 24 }, (_, index) => index);
    values[13] = -32767;
    const attributes = { _ARRAY_DIMENSIONS: surface, scale_factor: 0.5, add_offset: 100_000 };
    const field = await readRaw({ dtype: '<i2', shape: [2, 3, 4], values, attributes, fillValue: -32767 });
    expect([...field.slice(0, 3)]).toEqual([100_006, Number.NaN, 100_007]);
  });

  it('64-bit floats are narrowed to 32 bits', async () => {
    const values = Float64Array.from({ length: 24 }, (_, index) => index / 3);
    const field = await readRaw({
      dtype: '<f8',
      shape: [2, 3, 4],
      values,
      attributes: { _ARRAY_DIMENSIONS: surface },
    });
    expect(field).toEqual(asFloats(Array.from({ length: 12 }, (_, index) => (index + 12) / 3)));
  });

  it('fields stored with longitude before latitude are transposed', async () => {
    const values = Float32Array.from({ length: 24 }, (_, index) => index);
    const attributes = { _ARRAY_DIMENSIONS: ['time', 'lon', 'lat'] };
    const field = await readRaw({ dtype: '<f4', shape: [2, 4, 3], values, attributes });
    expect(field).toEqual(asFloats([12, 15, 18, 21, 13, 16, 19, 22, 14, 17, 20, 23]));
  });

  it('column-major chunks are read as row-major fields', async () => {
    const values = Float32Array.from({ length: 24 }, (_, index) => index);
    const attributes = { _ARRAY_DIMENSIONS: surface };
    const field = await readRaw({ dtype: '<f4', shape: [2, 3, 4], values, attributes, order: 'F' });
    expect(field).toEqual(asFloats([1, 7, 13, 19, 3, 9, 15, 21, 5, 11, 17, 23]));
  });

  it('levels in pascal and times in hours since 1900 are converted', async () => {
    const files = await plainFiles();
    const hours = VALID_TIMES.map((time) => BigInt((time.getTime() - Date.UTC(1900, 0, 1)) / 3_600_000));
    setRawArray(files, 'time', {
      dtype: '<i8',
      shape: [2],
      values: BigInt64Array.from(hours),
      attributes: { _ARRAY_DIMENSIONS: ['time'], units: 'hours since 1900-01-01' },
    });
    setRawArray(files, 'pressure_level', {
      dtype: '<i4',
      shape: [2],
      values: Int32Array.of(85_000, 50_000),
      attributes: { _ARRAY_DIMENSIONS: ['pressure_level'], units: 'Pa' },
    });
    await expectSmallStore(await openGridStore(files));
  });
});

describe('absent field', () => {
  it('the error of a missing variable names it and the variables of the store', async () => {
    const store = await openGridStore(await smallFiles());
    const reading = store.readField({ variable: 'msl', pressureHpa: null, validTime: FIRST_TIME });
    expect(await rejectionOf(reading)).toMatchObject({
      category: 'data_missing_variable',
      message: 'Variable msl is not in the store, which has 2t, t.',
    });
  });

  it('a missing time has the category of the caller, which separates late truth from a gap', async () => {
    const store = await openGridStore(await smallFiles(), { timeMissingCategory: 'truth_not_ready' });
    const validTime = new Date('2026-01-03T00:00:00Z');
    const error = await rejectionOf(store.readField({ variable: '2t', pressureHpa: null, validTime }));
    expect(error).toBeInstanceOf(GridTimeMissingError);
    expect(error).toBeInstanceOf(CategorizedError);
    expect(error).toMatchObject({ category: 'truth_not_ready', retryable: true, validTime });
    expect((error as Error).message).toContain(
      '2 times from 2026-01-01T12:00:00.000Z to 2026-01-02T00:00:00.000Z',
    );
  });

  it('a missing time is by default an invalid response, which is not retryable', async () => {
    const store = await openGridStore(await smallFiles());
    const reading = store.readField({ variable: '2t', pressureHpa: null, validTime: new Date(Number.NaN) });
    expect(await rejectionOf(reading)).toMatchObject({ category: 'invalid_response', retryable: false });
  });

  it.each([
    ['t', 700, '700 hPa; the store has it at 850, 500 hPa'],
    ['t', null, 'the surface; the store has it at 850, 500 hPa'],
    ['2t', 850, '850 hPa; the store has it at the surface'],
  ] as const)(
    'the request for %s at %s is rejected with the levels of the store',
    async (variable, pressureHpa, message) => {
      const store = await openGridStore(await smallFiles());
      const error = await rejectionOf(store.readField({ variable, pressureHpa, validTime: FIRST_TIME }));
      expect(error).toMatchObject({ category: 'invalid_response' });
      expect((error as Error).message).toContain(message);
    },
  );
});

describe('invalid store', () => {
  it('an empty location is not found, and the error does not contain its path', async () => {
    const place = join(tmpdir(), 'no-such-store');
    const error = await rejectionOf(openGridStore(place));
    expect(error).toMatchObject({ category: 'not_found', retryable: false });
    expect((error as Error).message).not.toContain(tmpdir());
  });

  it('a store without any forecast variable is an error of category data_missing_variable', async () => {
    const files = new Map<string, Uint8Array>();
    setJson(files, '.zgroup', { zarr_format: 2 });
    expect(await rejectionOf(openGridStore(files))).toMatchObject({ category: 'data_missing_variable' });
  });

  it('a dimension without a coordinate array is not found', async () => {
    const files = await plainFiles();
    files.delete('lat/.zarray');
    expect(await rejectionOf(openGridStore(files))).toMatchObject({
      category: 'not_found',
      message: expect.stringContaining('dimension lat') as string,
    });
  });

  it.each<[string, (files: Map<string, Uint8Array>) => void, string]>([
    ['is not JSON', (files) => files.set('2t/.zarray', Buffer.from('{')), 'not JSON'],
    [
      'lacks longitude',
      (files) => patchJson(files, '2t/.zattrs', { _ARRAY_DIMENSIONS: ['time', 'lat', 'x'] }),
      'allowed: (time, lat, lon)',
    ],
    [
      'has another length than its coordinate',
      (files) => patchJson(files, '2t/.zarray', { shape: [2, 4, 4] }),
      'lengths (2, 3, 4)',
    ],
    [
      'has an unknown codec',
      (files) => patchJson(files, 'lat/.zarray', { compressor: { id: 'magic' } }),
      'magic',
    ],
    [
      'has times without units',
      (files) => patchJson(files, 'time/.zattrs', { units: undefined }),
      'no units',
    ],
    [
      'has levels in another unit',
      (files) => patchJson(files, 'pressure_level/.zattrs', { units: 'metres' }),
      'allowed: hPa',
    ],
    ['has an empty axis', (files) => patchJson(files, 'time/.zarray', { shape: [0] }), '1 to 1000000 values'],
    [
      'has an axis longer than allowed',
      (files) => patchJson(files, 'time/.zarray', { shape: [2e9] }),
      '1 to 1000000 values',
    ],
  ])('a store that %s is an invalid response', async (_, damage, message) => {
    const files = await plainFiles();
    damage(files);
    const error = await rejectionOf(openGridStore(files));
    expect(error).toMatchObject({ category: 'invalid_response', retryable: false });
    expect((error as Error).message).toContain(message);
  });

  it.each([
    ['latitudes that are not monotonic', 'lat', Float64Array.of(60, 0, 30)],
    ['latitudes beyond the pole', 'lat', Float64Array.of(100, 0, -60)],
    ['NaN among its latitudes', 'lat', Float64Array.of(60, Number.NaN, -60)],
    ['longitudes that span more than 360 degrees', 'lon', Float64Array.of(0, 90, 180, 450)],
    ['a repeated level', 'pressure_level', Float64Array.of(850, 850)],
    ['a level above 1100 hPa', 'pressure_level', Float64Array.of(850, 5000)],
    ['a repeated time', 'time', Float64Array.of(3600, 3600)],
  ])('a store with %s is an invalid response', async (_, name, values) => {
    const files = await plainFiles();
    const units = { time: 'seconds since 1970-01-01', pressure_level: 'hPa' }[name];
    const attributes = { _ARRAY_DIMENSIONS: [name], units };
    setRawArray(files, name, { dtype: '<f8', shape: [values.length], values, attributes });
    const error = await rejectionOf(openGridStore(files));
    expect(error).toMatchObject({ category: 'invalid_response' });
    expect((error as Error).message).toContain(name);
  });

  it('an error of the byte store is passed on unchanged, so that a lost connection stays retryable', async () => {
    const lost = new CategorizedError('connection', 'lost', { retryable: true });
    expect(await rejectionOf(openGridStore({ get: () => Promise.reject(lost) }))).toBe(lost);
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    expect(await rejectionOf(openGridStore({ get: () => Promise.reject(reset) }))).toBe(reset);
  });
});
