import { describe, expect, it } from 'vitest';
import { decodedChunkBytes, describeArray } from '#grids/array-description';

const v2Array = {
  zarr_format: 2,
  shape: [4, 3, 2],
  chunks: [1, 3, 2],
  dtype: '<f4',
  compressor: { id: 'blosc', cname: 'zstd' },
  filters: null,
  fill_value: 'NaN',
  order: 'C',
};
const v2Attributes = { _ARRAY_DIMENSIONS: ['time', 'lat', 'lon'], units: 'K' };

const v3Array = {
  zarr_format: 3,
  node_type: 'array',
  shape: [4, 3, 2],
  data_type: 'int16',
  chunk_grid: { name: 'regular', configuration: { chunk_shape: [1, 3, 2] } },
  codecs: [{ name: 'bytes' }, { name: 'zstd' }],
  dimension_names: ['time', 'lat', 'lon'],
  fill_value: 0,
  attributes: { units: 'K', scale_factor: 0.5, add_offset: 273, _FillValue: -32767, missing_value: -1 },
};

function describeV2(array: object = {}, attributes: object = {}) {
  return describeArray('2t', 2, {
    array: { ...v2Array, ...array },
    attributes: { ...v2Attributes, ...attributes },
  });
}

function describeV3(array: object = {}) {
  return describeArray('2t', 3, { array: { ...v3Array, ...array } });
}

describe('describeArray', () => {
  it('metadata of format 2 is normalised to one shape', () => {
    const description = describeV2();
    expect(description).toEqual({
      name: '2t',
      shape: [4, 3, 2],
      chunkShape: [1, 3, 2],
      shard: null,
      dimensionNames: ['time', 'lat', 'lon'],
      dataType: 'float32',
      units: 'K',
      standardName: null,
      calendar: null,
      scaleFactor: 1,
      addOffset: 0,
      isOtherSign: false,
      missingValues: [],
      hasFillValue: true,
      codecs: ['blosc'],
    });
    expect(decodedChunkBytes(description)).toBe(24);
  });

  it('metadata of format 3 is normalised to the same shape', () => {
    expect(describeV3()).toEqual({
      name: '2t',
      shape: [4, 3, 2],
      chunkShape: [1, 3, 2],
      shard: null,
      dimensionNames: ['time', 'lat', 'lon'],
      dataType: 'int16',
      units: 'K',
      standardName: null,
      calendar: null,
      scaleFactor: 0.5,
      addOffset: 273,
      isOtherSign: false,
      missingValues: [-32767, -1],
      hasFillValue: true,
      codecs: ['bytes', 'zstd'],
    });
  });

  it.each([
    ['<f8', 'float64'],
    ['>i2', 'int16'],
    ['|u1', 'uint8'],
    ['<i8', 'int64'],
  ])('the data type %s of format 2 is read as %s', (dtype, expected) => {
    expect(describeV2({ dtype }).dataType).toBe(expected);
  });

  it('the fill value of format 2 marks missing values of any type, before an attribute, as in xarray', () => {
    expect(describeV2({ dtype: '<i2', fill_value: -32767 }).missingValues).toEqual([-32767]);
    expect(describeV2({ fill_value: 0 }).missingValues).toEqual([0]);
    expect(describeV2({ fill_value: -9999 }, { _FillValue: -1 }).missingValues).toEqual([-9999]);
    expect(describeV2({ fill_value: null }, { _FillValue: -1 }).missingValues).toEqual([-1]);
  });

  it('the fill value of format 3 marks nothing, since absent chunks hold a value', () => {
    expect(describeV3({ fill_value: -1, attributes: {} }).missingValues).toEqual([]);
  });

  it('marks may be a list, and numbers a list of one', () => {
    const attributes = { missing_value: [-1, 'NaN', -2], scale_factor: [0.5], add_offset: [1] };
    expect(describeV3({ attributes })).toMatchObject({
      missingValues: [-1, -2],
      scaleFactor: 0.5,
      addOffset: 1,
    });
    expect(() => describeV3({ attributes: { scale_factor: [1, 2] } })).toThrow('not valid Zarr');
  });

  it.each([
    ['int16', 'true', true],
    ['int16', 'false', false],
    ['int16', undefined, false],
    ['uint8', 'false', true],
    ['uint8', 'true', false],
    ['uint8', undefined, false],
    ['float32', 'true', false],
  ])('%s with _Unsigned %s has the other sign: %s', (data_type, _Unsigned, expected) => {
    expect(describeV3({ data_type, attributes: { _Unsigned } }).isOtherSign).toBe(expected);
  });

  it('missing-value markers without a JSON form are decoded', () => {
    const packed = Buffer.alloc(8);
    packed.writeDoubleLE(1e20);
    const nan = Buffer.alloc(8);
    nan.writeDoubleLE(Number.NaN);
    const marks = (_FillValue: unknown) => describeV3({ attributes: { _FillValue } }).missingValues;
    expect(marks(packed.toString('base64'))).toEqual([1e20]);
    expect(marks(nan.toString('base64'))).toEqual([]);
    expect(marks('NaN')).toEqual([]);
    expect(marks('Infinity')).toEqual([Infinity]);
    expect(marks('what')).toEqual([]);
    expect(marks(null)).toEqual([]);
  });

  it('an array without a fill value is reported as such', () => {
    expect(describeV2({ fill_value: null }).hasFillValue).toBe(false);
  });

  it.each<[string, () => unknown, string]>([
    ['text data', () => describeV2({ dtype: '|S5' }), 'data type "|S5"; allowed: int8'],
    [
      'a data type that objects inherit',
      () => describeV3({ data_type: 'constructor' }),
      'data type "constructor"',
    ],
    ['a negative length', () => describeV2({ shape: [-1, 3, 2] }), 'not valid Zarr'],
    ['a chunk of no length', () => describeV2({ chunks: [0, 3, 2] }), 'not valid Zarr'],
    ['a string as shape', () => describeV2({ shape: '4' }), 'not valid Zarr'],
    ['another format', () => describeV2({ zarr_format: 3 }), 'not valid Zarr'],
    ['a group', () => describeV3({ node_type: 'group' }), 'not valid Zarr'],
    ['an irregular chunk grid', () => describeV3({ chunk_grid: { name: 'rectilinear' } }), 'not valid Zarr'],
    ['a string as scale factor', () => describeV2({}, { scale_factor: '2' }), 'not valid Zarr'],
    ['no dimension names', () => describeV2({}, { _ARRAY_DIMENSIONS: undefined }), 'must agree'],
    ['too few chunk lengths', () => describeV2({ chunks: [1, 3] }), 'must agree'],
    ['huge chunks', () => describeV2({ chunks: [1, 40_000, 40_000] }), 'at most 2^30'],
    [
      'shards without a configuration',
      () => describeV3({ codecs: [{ name: 'sharding_indexed' }] }),
      'not valid Zarr',
    ],
    ['no document', () => describeArray('2t', 2, { array: null }), 'not valid Zarr'],
  ])('metadata with %s is an invalid response that names the array', (_, parse, message) => {
    expect(parse).toThrow(
      expect.objectContaining({
        category: 'invalid_response',
        retryable: false,
        message: expect.stringMatching(
          new RegExp(`2t.*${message.replaceAll(/[|^]/g, '\\$&')}`, 's'),
        ) as string,
      }),
    );
  });
});
