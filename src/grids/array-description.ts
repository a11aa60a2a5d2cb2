import { z } from 'zod';
import { invalidStore } from './grid-errors.ts';
import { requireKnownCodecs } from './codecs/codec-table.ts';
import { isFillStorable } from './codecs/library-metadata.ts';
import { timeTypeOf } from './time-type.ts';

export type ZarrFormat = 2 | 3;

/** Allowed data types of fields and coordinates, with their bytes per value. */
const BYTES_PER_VALUE = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
} as const;
export type ArrayDataType = keyof typeof BYTES_PER_VALUE;
export const FORECAST_DATA_TYPES = Object.keys(BYTES_PER_VALUE);

const V2_KINDS: Readonly<Record<string, string>> = { i: 'int', u: 'uint', f: 'float' };

/** More than a day of global 0.25 degree fields in one chunk is a mistake or an attack. */
const MAX_CHUNK_BYTES = 2 ** 30;

/** The used part of an array's metadata, normalised to one shape for both formats. */
export interface ArrayDescription {
  readonly name: string;
  readonly shape: readonly number[];
  /** Lengths of what one file holds: a chunk, or a shard of chunks. */
  readonly chunkShape: readonly number[];
  /** The chunks of a shard; null where each chunk is a file. */
  readonly shard: ShardDescription | null;
  readonly dimensionNames: readonly string[];
  readonly dataType: ArrayDataType;
  readonly units: string | null;
  /** CF standard name. */
  readonly standardName: string | null;
  readonly calendar: string | null;
  readonly scaleFactor: number;
  readonly addOffset: number;
  /** Whether integers are stored in a type of the other sign (`_Unsigned` of netCDF 3 and CF). */
  readonly isOtherSign: boolean;
  /** Stored values that stand for "no value" (CF `_FillValue` and `missing_value`), before the sign is changed. */
  readonly missingValues: readonly number[];
  /** Whether the metadata defines the value of absent chunks. */
  readonly hasFillValue: boolean;
  /** The codecs that make up a chunk file, innermost first. */
  readonly codecs: readonly string[];
}

/** How the chunks of a shard are laid out (`sharding_indexed`). */
export interface ShardDescription {
  readonly chunkShape: readonly number[];
  /** How many there are. */
  readonly chunks: number;
  /** The codecs of one of them, innermost first. */
  readonly codecs: readonly string[];
  /** Whether the index stands before the chunks; else behind them. */
  readonly isIndexFirst: boolean;
}

/** A JSON number, or a string that Zarr and xarray write for values without a JSON form (NaN, infinities). */
const scalar = z.union([z.number(), z.string(), z.null()]);
/** CF allows a list of marks. */
const marks = z.union([scalar, z.array(scalar)]);
/** netCDF attributes are vectors: some writers keep the list of one. */
const number = z.union([z.number(), z.tuple([z.number()]).transform(([value]) => value)]);

const attributesSchema = z.object({
  _ARRAY_DIMENSIONS: z.array(z.string()).optional(),
  units: z.string().optional(),
  standard_name: z.string().optional(),
  calendar: z.string().optional(),
  scale_factor: number.optional(),
  add_offset: number.optional(),
  _FillValue: marks.optional(),
  missing_value: marks.optional(),
  _Unsigned: z.union([z.string(), z.boolean()]).optional(),
});

/** Allows more dimensions than a field can have, so that the later error can name the dimensions. */
const lengths = z.array(z.int().nonnegative()).max(8);
const chunkLengths = z.array(z.int().positive()).max(8);

const v2Schema = z.object({
  zarr_format: z.literal(2),
  shape: lengths,
  chunks: chunkLengths,
  dtype: z.string(),
  compressor: z.object({ id: z.string() }).nullish(),
  filters: z.array(z.looseObject({ id: z.string() })).nullish(),
  fill_value: z.unknown(),
});

const shardSchema = z.object({
  chunk_shape: chunkLengths,
  codecs: z.array(z.object({ name: z.string() })),
  // The library reads the index, and the guard reads it too.
  index_codecs: z.tuple(
    [z.object({ name: z.literal('bytes'), configuration: z.object({ endian: z.literal('little') }) })],
    z.object({ name: z.literal('crc32c') }),
  ),
  index_location: z.enum(['start', 'end']).optional(),
});

const v3Schema = z.object({
  zarr_format: z.literal(3),
  node_type: z.literal('array'),
  shape: lengths,
  data_type: z.union([z.string(), z.object({ name: z.string(), configuration: z.unknown() })]),
  chunk_grid: z.object({
    name: z.literal('regular'),
    configuration: z.object({ chunk_shape: chunkLengths }),
  }),
  codecs: z.array(
    z.object({ name: z.string(), configuration: z.record(z.string(), z.unknown()).optional() }),
  ),
  dimension_names: z.array(z.string().nullable()).nullish(),
  fill_value: z.unknown(),
  attributes: z.unknown(),
});

/** The metadata documents of one array, decoded from JSON and not yet trusted. */
export interface ArrayDocuments {
  /** `.zarray` or `zarr.json`. */
  readonly array: unknown;
  /** `.zattrs`; unused in format 3. */
  readonly attributes?: unknown;
}

/**
 * Parses and validates the metadata of an array once, on entry; later code trusts the result.
 *
 * @throws CategorizedError `invalid_response` for metadata that breaks the format or that is out of bounds.
 */
export function describeArray(name: string, format: ZarrFormat, documents: ArrayDocuments): ArrayDescription {
  const description = format === 2 ? describeV2(name, documents) : describeV3(name, documents.array);
  requireKnownCodecs(description);
  const { shape, chunkShape, dimensionNames, dataType } = description;
  if (chunkShape.length !== shape.length || dimensionNames.length !== shape.length) {
    throw invalidStore(
      `Array ${name} has ${String(shape.length)} dimensions, ${String(chunkShape.length)} chunk lengths and ` +
        `${String(dimensionNames.length)} dimension names; the three must agree.`,
    );
  }
  const read = description.shard?.chunkShape ?? chunkShape;
  const bytes = read.reduce((product, length) => product * length, BYTES_PER_VALUE[dataType]);
  if (bytes > MAX_CHUNK_BYTES) {
    throw invalidStore(`Array ${name} has chunks of ${String(bytes)} bytes; at most 2^30 are allowed.`);
  }
  return description;
}

/** Bytes of one value. */
export const bytesOf = (dataType: ArrayDataType): number => BYTES_PER_VALUE[dataType];

/** Bytes of one chunk once its outer codecs are undone. */
export function decodedChunkBytes({ chunkShape, shard, dataType }: ArrayDescription): number {
  return (shard?.chunkShape ?? chunkShape).reduce(
    (product, length) => product * length,
    BYTES_PER_VALUE[dataType],
  );
}

/** Format 2: attributes are in a separate file, and the compressor runs after the filters. */
function describeV2(name: string, documents: ArrayDocuments): ArrayDescription {
  const array = parse(name, v2Schema, documents.array);
  const attributes = parse(name, attributesSchema, documents.attributes ?? {});
  const timeUnits = timeTypeOf(array.dtype);
  const dataType = timeUnits === null ? toDataType(name, v2DataTypeName(array.dtype)) : 'int64';
  const filters = (array.filters ?? []).map(({ id, ...configuration }) => ({ name: id, configuration }));
  const codecs = filters.map((filter) => filter.name);
  if (array.compressor) codecs.push(array.compressor.id);
  // In format 2 the array's own fill value marks absent values, before any attribute, as xarray reads and writes it.
  const ownFill = scalar.safeParse(array.fill_value ?? undefined).data;
  return {
    ...commonParts(name, { attributes, dataType, timeUnits, fill: ownFill ?? attributes._FillValue }),
    shape: array.shape,
    shard: null,
    chunkShape: array.chunks,
    dimensionNames: attributes._ARRAY_DIMENSIONS ?? [],
    dataType,
    hasFillValue: hasFill(array.fill_value, filters),
    codecs,
  };
}

/** Format 3: one document has all metadata. */
function describeV3(name: string, document: unknown): ArrayDescription {
  const array = parse(name, v3Schema, document);
  const attributes = parse(name, attributesSchema, array.attributes ?? {});
  const timeUnits = timeTypeOf(array.data_type);
  const dataType = timeUnits === null ? toDataType(name, nameOfType(array.data_type)) : 'int64';
  return {
    ...commonParts(name, { attributes, dataType, timeUnits, fill: attributes._FillValue }),
    shape: array.shape,
    chunkShape: array.chunk_grid.configuration.chunk_shape,
    shard: describeShard(name, array),
    dimensionNames: (array.dimension_names ?? []).map((dimension) => dimension ?? ''),
    dataType,
    hasFillValue: hasFill(array.fill_value, array.codecs),
    codecs: array.codecs.map((codec) => codec.name),
  };
}

/** The index of a shard is metadata, which has at most 1 MiB; the library keeps it as long as the store is open. */
const MOST_CHUNKS_OF_A_SHARD = 2 ** 16;

function describeShard(name: string, array: z.infer<typeof v3Schema>): ShardDescription | null {
  const sharding = array.codecs.find((codec) => codec.name === 'sharding_indexed');
  if (sharding === undefined) return null;
  const shard = parse(name, shardSchema, sharding.configuration);
  const { chunk_shape: chunkShape, index_location: place = 'end' } = shard;
  const counts = array.chunk_grid.configuration.chunk_shape.map(
    (length, axis) => length / (chunkShape[axis] ?? NaN),
  );
  const chunks = counts.reduce((product, count) => product * count, 1);
  if (array.codecs.length === 1 && counts.every(Number.isInteger) && chunks <= MOST_CHUNKS_OF_A_SHARD)
    return {
      ...{ chunkShape, chunks, isIndexFirst: place === 'start' },
      codecs: shard.codecs.map((codec) => codec.name),
    };
  throw invalidStore(
    `Array ${name} has shards of ${String(chunks)} chunks; allowed are whole numbers of chunks, at most 2^16, and no codec ` +
      'around the shard.',
  );
}

interface CommonParts {
  readonly attributes: z.infer<typeof attributesSchema>;
  readonly dataType: ArrayDataType;
  /** Of an array of times; what the attributes say comes first. */
  readonly timeUnits: string | null;
  readonly fill: unknown;
}

const hasFill = (fill: unknown, codecs: Parameters<typeof isFillStorable>[1]): boolean =>
  fill !== null && fill !== undefined && isFillStorable(fill, codecs);

const nameOfType = (dataType: string | { readonly name: string }): string =>
  typeof dataType === 'string' ? dataType : dataType.name;

function commonParts(name: string, { attributes, dataType, timeUnits, fill }: CommonParts) {
  const isUnsigned = String(attributes._Unsigned ?? dataType.startsWith('uint')).toLowerCase() === 'true';
  return {
    name,
    units: attributes.units ?? timeUnits,
    standardName: attributes.standard_name ?? null,
    calendar: attributes.calendar ?? null,
    scaleFactor: attributes.scale_factor ?? 1,
    addOffset: attributes.add_offset ?? 0,
    isOtherSign: !dataType.startsWith('float') && isUnsigned !== dataType.startsWith('uint'),
    missingValues: [...new Set([fill, attributes.missing_value].flat().flatMap(toMissingValues))],
  };
}

/** NaN marks itself and needs no entry. Format 3 keeps float marks as base64 of a little-endian double (xarray). */
function toMissingValues(mark: unknown): number[] {
  if (typeof mark === 'number') return [mark];
  if (typeof mark !== 'string' || mark === 'NaN') return [];
  if (mark === 'Infinity' || mark === '-Infinity') return [Number(mark)];
  const bytes = Buffer.from(mark, 'base64');
  if (bytes.length !== 8) return [];
  const value = bytes.readDoubleLE();
  return Number.isNaN(value) ? [] : [value];
}

/** `<f4` becomes `float32`; the decoder handles the byte order; other types pass unchanged and are rejected later. */
function v2DataTypeName(dtype: string): string {
  const [, kind = '', bytes = ''] = /^[<>|]([iuf])([1248])$/.exec(dtype) ?? [];
  return kind === '' ? dtype : `${V2_KINDS[kind] ?? kind}${String(Number(bytes) * 8)}`;
}

function toDataType(name: string, dataType: string): ArrayDataType {
  if (Object.hasOwn(BYTES_PER_VALUE, dataType)) return dataType as ArrayDataType;
  const allowed = Object.keys(BYTES_PER_VALUE).join(', ');
  throw invalidStore(`Array ${name} has data type "${dataType}"; allowed: ${allowed}.`);
}

function parse<T>(name: string, schema: z.ZodType<T>, document: unknown): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  throw invalidStore(`Metadata of array ${name} is not valid Zarr: ${z.prettifyError(result.error)}`);
}
