import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '#grids';
import { readArray } from '#grids/read-array';
import { openArray, openZarrGroup } from '#grids/zarr-group';
import { plainFiles, rejectionOf, setRawArray } from './small-store.ts';

/** An uncompressed array `wind` of one chunk, in a store. */
async function openWind(shape: readonly number[], values: Float32Array, order: 'C' | 'F' = 'C') {
  const files = await plainFiles();
  setRawArray(files, 'wind', { dtype: '<f4', shape, values, attributes: {}, fillValue: 7, order });
  return {
    files,
    open: async () => openArray(await openZarrGroup(createMemoryStore(files)), 'wind'),
  };
}

describe('selection of exactly one chunk', () => {
  it('a selection of one chunk is the decoded chunk itself, without a copy', async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const { open } = await openWind([1, 2, 3], values);
    const read = await readArray(await open(), [0, null, null]);
    expect(read).toEqual({ data: values, shape: [2, 3], strides: [3, 1] });
    expect((read.data as Float32Array).buffer).toBe(values.buffer);
  });

  it('a selection of one chunk keeps the order of its axes', async () => {
    const { open } = await openWind([1, 2, 3], Float32Array.of(1, 4, 2, 5, 3, 6), 'F');
    const { data, strides } = await readArray(await open(), [0, null, null]);
    const at = (row: number, column: number) => data[row * (strides[0] ?? 0) + column * (strides[1] ?? 0)];
    expect([at(0, 0), at(0, 1), at(0, 2), at(1, 0)]).toEqual([1, 2, 3, 4]);
  });

  it('an absent chunk is read as the fill value', async () => {
    const { files, open } = await openWind([1, 2, 2], Float32Array.of(1, 2, 3, 4));
    files.delete('wind/0.0.0');
    expect((await readArray(await open(), [0, null, null])).data).toEqual(Float32Array.of(7, 7, 7, 7));
  });

  it('a chunk that is too short is rejected', async () => {
    const { files, open } = await openWind([1, 2, 2], Float32Array.of(1, 2, 3, 4));
    files.set('wind/0.0.0', new Uint8Array(12));
    expect(await rejectionOf(readArray(await open(), [0, null, null]))).toMatchObject({
      category: 'invalid_response',
    });
  });
});

describe('selection of part of a chunk', () => {
  it('part of a chunk is copied out of it', async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const { open } = await openWind([2, 2, 2], values);
    const read = await readArray(await open(), [1, null, null]);
    expect(read.data).toEqual(Float32Array.of(5, 6, 7, 8));
    expect((read.data as Float32Array).buffer).not.toBe(values.buffer);
  });
});
