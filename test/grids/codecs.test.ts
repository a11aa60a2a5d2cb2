import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openNamedStore } from '#commands/run/stores';
import { openGridStore } from '#grids';
import { decodeBzip2 } from '#grids/codecs/bzip2';
import { CODECS } from '#grids/codecs/codec-table';
import { temporaryFolder } from '#test/support/temporary-folder';
import {
  patchJson,
  plainFiles,
  rejectionOf,
  setRawArray,
  smallField,
  smallFiles,
  VALID_TIMES,
} from './small-store.ts';

/** Compressed by Python's `bz2`: `b'barograph ' * 30 + b'\0' * 1000 + bytes(range(256))`, level 9. */
const PACKED = Buffer.from(
  'QlpoOTFBWSZTWfniC+oAAHR/////////////////////////////////////////////sAD2mSAAAAAAAAAAAmAAAAAAAAAAATAAAAAAAAAAAAAAAAAACYCYK9VRqPSHqZPJqaZDTTIwTTIwhpiZDRpoMAjJiAwTT1A0bUwAmBMmIDQ0wCYAARkwJgJgRgI0aGgNMmIyNMJgJMABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADKCIckIL/QaEqdaLR6QtpTs80xcwemdOfag/QNTqtWg6xC1qGiGtecAgGuRUZHSCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWZWbjcfkcnlctnaDZAA1kACuCAZ3MKNnNNc5uIADZAB0VrpNvT6jcYIADZcgALFixAAUIAOqVb3BxcnN0dXZ3eOs8vT2+Pr913+A7EDBQfZ7UfISMlJykrLS8xMzU3OTs9P0FDRUdJS01PUVNVV1lbXV9hY2VnaWttb3FzdXd5e31/gYOFh4mLjY+Rk5WXmZudn6Gjpaepq62vsbO1t7m7vb/Bw8XHycvNz9HP09HV19nb3d/h/P7i/7Gx8jJ/+UZGXl5mbnZ4u5IpwoSHzxBfUA==',
  'base64',
);
const PLAIN = Buffer.concat([
  Buffer.from('barograph '.repeat(30)),
  Buffer.alloc(1000),
  Buffer.from(Array.from({ length: 256 }, (_, value) => value)),
]);

describe('decodeBzip2', () => {
  it('what Python packed is unpacked', () => {
    expect(Buffer.from(decodeBzip2(PACKED, PLAIN.length))).toEqual(PLAIN);
  });

  it('streams one after another are one', () => {
    expect(Buffer.from(decodeBzip2(Buffer.concat([PACKED, PACKED]), 1e5))).toEqual(
      Buffer.concat([PLAIN, PLAIN]),
    );
  });

  it('more than the limit is refused before it is unpacked', () => {
    expect(() => decodeBzip2(PACKED, PLAIN.length - 1)).toThrow(
      `it unpacks to more than the ${PLAIN.length - 1} bytes of the array's chunks`,
    );
  });

  it('a part, and other bytes, are errors', () => {
    expect(() => decodeBzip2(PACKED.subarray(0, -5), 1e5)).toThrow('it is truncated');
    expect(() => decodeBzip2(Buffer.from('Zarr'), 1e5)).toThrow('it is not bzip2');
  });

  it('whichever byte is damaged, it is an error and never other values', () => {
    for (let place = 4; place < PACKED.length - 10; place += 1) {
      const damaged = Buffer.from(PACKED);
      damaged[place] = (damaged[place] ?? 0) ^ 0x10;
      let values: Uint8Array | null = null;
      try {
        values = decodeBzip2(damaged, PLAIN.length);
      } catch {
        continue;
      }
      expect(Buffer.from(values)).toEqual(PLAIN);
    }
  });
});

describe('codecs of a store', () => {
  it.each(['lzma', 'pcodec', 'numcodecs.fletcher32'])(
    'codec %s, which the field has and we do not, is the fault of the validator, and told at opening',
    async (id) => {
      const files = await plainFiles();
      patchJson(files, '2t/.zarray', { compressor: { id } });
      expect(await rejectionOf(openGridStore(files))).toMatchObject({
        category: 'validator_internal',
        message:
          `Array 2t is stored with codec or filter "${id}", which is not read; allowed: ${Object.keys(CODECS).join(', ')}. ` +
          'Write the store again with one of them, as by the "encoding" of xarray.',
      });
    },
  );

  it('a codec that nobody knows is the fault of who wrote it, also inside a shard and as a filter', async () => {
    const files = await plainFiles();
    patchJson(files, 't/.zarray', { filters: [{ id: 'rot13' }] });
    expect(await rejectionOf(openGridStore(files))).toMatchObject({ category: 'invalid_response' });
    const newer = await smallFiles({ zarrFormat: 3 });
    patchJson(newer, '2t/zarr.json', {
      codecs: [
        {
          name: 'sharding_indexed',
          configuration: {
            chunk_shape: [1, 3, 4],
            codecs: [{ name: 'bytes' }, { name: 'rot13' }],
            index_codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, { name: 'crc32c' }],
          },
        },
      ],
    });
    expect(await rejectionOf(openGridStore(newer))).toMatchObject({
      message: expect.stringContaining('Array 2t is stored with codec or filter "rot13"') as string,
    });
  });

  it('an array that is no field may have any codec', async () => {
    const files = await plainFiles();
    setRawArray(files, 'other', { dtype: '<f4', shape: [1], values: new Float32Array(1), attributes: {} });
    patchJson(files, 'other/.zarray', { compressor: { id: 'lzma' } });
    expect((await openGridStore(files)).variables).toHaveLength(2);
  });
});

describe('times of numpy', () => {
  it.each([
    ['ns', 1_000_000n],
    ['us', 1000n],
    ['ms', 1n],
  ])('an axis of datetime64[%s] is read without units', async (unit, perMilli) => {
    const files = await plainFiles();
    setRawArray(files, 'time', {
      dtype: `<M8[${unit}]`,
      shape: [2],
      values: BigInt64Array.from(VALID_TIMES, (time) => BigInt(time.getTime()) * perMilli),
      attributes: { _ARRAY_DIMENSIONS: ['time'] },
      fillValue: 0,
    });
    const store = await openGridStore(files);
    expect(store.validTimes).toEqual(VALID_TIMES);
    const [validTime] = VALID_TIMES;
    expect(await store.readField({ variable: '2t', pressureHpa: null, validTime })).toEqual(
      smallField(validTime, 0),
    );
  });
});

describe('what is no Zarr store', () => {
  it.each([
    ['a zip file', 'PK\u0003\u0004…', 'This is a zip file, not a Zarr store. Unpack it'],
    ['kerchunk references', '{"version": 1, "refs": {".zgroup": "{}"}}', 'This is a kerchunk file'],
    ['a netCDF 3 file', 'CDF\u0001', 'This is a netCDF or HDF5 file'],
    ['a GRIB file', 'GRIB\u0000', 'This is a GRIB file'],
  ])('%s is called by its name, with what to do', async (_, content, message) => {
    const error = await rejectionOf(openGridStore(new Map([['', Buffer.from(content)]])));
    // Files in memory have keys without the leading slash, and the location itself has none.
    expect(error).toMatchObject({
      category: 'invalid_response',
      message: expect.stringContaining(message) as string,
    });
  });

  it('a file on a disk is looked into as well, and the path is not shown', async () => {
    const file = join(await temporaryFolder(), 'truth.zarr.zip');
    await writeFile(file, 'PK\u0003\u0004');
    expect(await rejectionOf(openNamedStore('--truth', file))).toMatchObject({
      message:
        '--truth cannot be read as a Zarr store: This is a zip file, not a Zarr store. Unpack it, and name the directory that it holds.',
    });
  });

  it('an Icechunk repository and a directory of Parquet references are called by their names', async () => {
    const icechunk = new Map([['refs/branch.main/ref.json', Buffer.from('{}')]]);
    expect(await rejectionOf(openGridStore(icechunk))).toMatchObject({
      message: expect.stringContaining('This is an Icechunk repository.') as string,
    });
    const references = new Map([['.zmetadata', Buffer.from('{"metadata": {}, "record_size": 10}')]]);
    expect(await rejectionOf(openGridStore(references))).toMatchObject({
      message: expect.stringContaining('This is a kerchunk directory') as string,
    });
  });
});
