import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type GridDataset, openGridStore, writeGridStore } from '#grids';
import { rejectionOf, smallDataset, smallFiles } from './small-store.ts';

function json(files: ReadonlyMap<string, Uint8Array>, path: string): unknown {
  return JSON.parse(new TextDecoder().decode(files.get(path)));
}

describe('writeGridStore', () => {
  it('format 2 has the standard layout with one chunk for each time and level', async () => {
    const files = await smallFiles({ zarrFormat: 2 });
    expect([...files.keys()].sort()).toEqual(
      [
        '.zattrs',
        '.zgroup',
        '.zmetadata',
        ...['2t', 'lat', 'lon', 'pressure_level', 't', 'time'].flatMap((name) => [
          `${name}/.zarray`,
          `${name}/.zattrs`,
        ]),
        ...['lat/0', 'lon/0', 'pressure_level/0', 'time/0'],
        ...['2t/0.0.0', '2t/1.0.0', 't/0.0.0.0', 't/0.1.0.0', 't/1.0.0.0', 't/1.1.0.0'],
      ].sort(),
    );
    expect(json(files, 't/.zarray')).toEqual({
      chunks: [1, 1, 3, 4],
      compressor: { id: 'blosc', cname: 'zstd', clevel: 5, shuffle: 1, blocksize: 0 },
      dtype: '<f4',
      fill_value: 'NaN',
      filters: null,
      order: 'C',
      shape: [2, 2, 3, 4],
      zarr_format: 2,
    });
    expect(json(files, 't/.zattrs')).toEqual({
      _ARRAY_DIMENSIONS: ['time', 'pressure_level', 'lat', 'lon'],
      units: 'K',
    });
  });

  it('consolidated metadata repeats every metadata file, so that one request suffices', async () => {
    const files = await smallFiles({ zarrFormat: 2 });
    const { metadata } = json(files, '.zmetadata') as { metadata: Record<string, unknown> };
    const own = [...files.keys()].filter((path) => /\.z(array|attrs|group)$/.test(path));
    expect(Object.keys(metadata).sort()).toEqual(own.sort());
    for (const path of own) expect(metadata[path]).toEqual(json(files, path));
  });

  it('format 3 is written with codecs and dimension names', async () => {
    const files = await smallFiles({ zarrFormat: 3, codec: 'zstd' });
    expect(files.has('t/c/1/1/0/0')).toBe(true);
    expect(json(files, '2t/zarr.json')).toMatchObject({
      zarr_format: 3,
      data_type: 'float32',
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [1, 3, 4] } },
      codecs: [{ name: 'bytes' }, { name: 'zstd', configuration: { level: 3, checksum: false } }],
      dimension_names: ['time', 'lat', 'lon'],
    });
    expect(json(files, 'zarr.json')).toMatchObject({ node_type: 'group' });
  });

  it('the same dataset gives the same bytes, so that hashes can be frozen', async () => {
    expect(await smallFiles()).toEqual(await smallFiles());
  });

  it('a directory and a map get the same files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'write-store-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeGridStore(directory, smallDataset(), { zarrFormat: 2 });
    const files = await smallFiles();
    const names = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(names.filter((entry) => entry.isFile())).toHaveLength(files.size);
    for (const [path, bytes] of files) {
      expect(new Uint8Array(await readFile(join(directory, path)))).toEqual(bytes);
    }
  });

  it('a dataset of surface variables has no level axis', async () => {
    const dataset: GridDataset = {
      ...smallDataset(),
      pressureLevelsHpa: [],
      variables: smallDataset().variables.filter(({ onLevels }) => !onLevels),
    };
    const files = new Map<string, Uint8Array>();
    await writeGridStore(files, dataset, { zarrFormat: 2 });
    expect([...files.keys()].some((path) => path.startsWith('pressure_level'))).toBe(false);
    expect((await openGridStore(files)).variables).toEqual([
      { name: '2t', pressureLevelsHpa: null, units: 'K' },
    ]);
  });

  it('absent units are not written', async () => {
    const files = new Map<string, Uint8Array>();
    const variables = smallDataset().variables.map((variable) => ({ ...variable, units: null }));
    await writeGridStore(files, { ...smallDataset(), variables }, { zarrFormat: 2 });
    expect((await openGridStore(files)).variables.map(({ units }) => units)).toEqual([null, null]);
  });

  it('a field whose size differs from the grid is a RangeError', async () => {
    const variables = smallDataset().variables.map((variable) => ({
      ...variable,
      field: () => new Float32Array(5),
    }));
    const writing = writeGridStore(new Map(), { ...smallDataset(), variables }, { zarrFormat: 2 });
    expect(await rejectionOf(writing)).toMatchObject({
      name: 'RangeError',
      message: expect.stringContaining('12') as string,
    });
  });
});
