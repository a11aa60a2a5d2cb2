import type { ZarrFormat } from './array-description.ts';
import type { ChunkCodec } from './codecs/chunk-codec.ts';

/** An array that is about to be written. */
export interface NewArray {
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  readonly dataType: 'float32' | 'float64' | 'int64';
  readonly attributes: Readonly<Record<string, string>>;
}

/** A metadata file: its path within the store and the JSON in it. */
export type MetadataFile = readonly [path: string, document: Readonly<Record<string, unknown>>];

const V2_DTYPE = { float32: '<f4', float64: '<f8', int64: '<i8' } as const;
const BYTES_PER_VALUE = { float32: 4, float64: 8, int64: 8 } as const;

export interface MetadataOptions {
  readonly zarrFormat: ZarrFormat;
  readonly codec: ChunkCodec;
}

/** The metadata files of one array. */
export function arrayDocuments(array: NewArray, options: MetadataOptions): MetadataFile[] {
  return options.zarrFormat === 2 ? v2Documents(array, options.codec) : [v3Document(array, options.codec)];
}

/** The files at the store's root; `.zmetadata` repeats all the others of format 2. */
export function rootDocuments(arrays: readonly MetadataFile[], zarrFormat: ZarrFormat): MetadataFile[] {
  if (zarrFormat === 3) return [['zarr.json', { zarr_format: 3, node_type: 'group', attributes: {} }]];
  const root: MetadataFile[] = [
    ['.zgroup', { zarr_format: 2 }],
    ['.zattrs', {}],
  ];
  const metadata = Object.fromEntries([...root, ...arrays]);
  return [...root, ['.zmetadata', { metadata, zarr_consolidated_format: 1 }]];
}

/** Path of a chunk in the store. */
export function chunkPath(array: NewArray, place: readonly number[], zarrFormat: ZarrFormat): string {
  return zarrFormat === 2 ? `${array.name}/${place.join('.')}` : `${array.name}/c/${place.join('/')}`;
}

function v2Documents(array: NewArray, codec: ChunkCodec): MetadataFile[] {
  const { name, shape, chunkShape, dataType, dimensions, attributes } = array;
  const document = {
    chunks: chunkShape,
    compressor: codec.v2Compressor,
    dtype: V2_DTYPE[dataType],
    fill_value: dataType === 'int64' ? null : 'NaN',
    filters: null,
    order: 'C',
    shape,
    zarr_format: 2,
  };
  return [
    [`${name}/.zarray`, document],
    [`${name}/.zattrs`, { _ARRAY_DIMENSIONS: dimensions, ...attributes }],
  ];
}

function v3Document(array: NewArray, codec: ChunkCodec): MetadataFile {
  const { name, shape, chunkShape, dataType, dimensions, attributes } = array;
  const document = {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: dataType,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: chunkShape } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    codecs: [
      { name: 'bytes', configuration: { endian: 'little' } },
      codec.v3Codec(BYTES_PER_VALUE[dataType]),
    ],
    fill_value: dataType === 'int64' ? 0 : 'NaN',
    dimension_names: dimensions,
    attributes,
  };
  return [`${name}/zarr.json`, document];
}
