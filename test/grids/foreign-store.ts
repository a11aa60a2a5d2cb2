import { deflateSync, gzipSync } from 'node:zlib';
import { Float16Array } from '@petamoriken/float16';
import Blosc from 'numcodecs/blosc';
import Lz4 from 'numcodecs/lz4';
import Zstd from 'numcodecs/zstd';
import { setJson } from './small-store.ts';

const HOUR_MILLIS = 3_600_000;
const HOURS_PER_DAY = 24;

/** A point of a field; `hours` since 1970, the valid time. */
export interface Place {
  readonly hours: number;
  readonly pressureHpa: number;
  readonly latitude: number;
  readonly longitude: number;
}

/** A coordinate array; a scalar one is no dimension. */
interface Axis {
  readonly name: string;
  readonly values: readonly number[];
  readonly units?: string;
  readonly isScalar?: boolean;
}

/** Coordinates of one value, by the names of their axes. */
type Coordinates = Readonly<Record<string, number>>;

/** Where valid times stand in a store: the axes that make them, and the valid time of a value. */
interface Layout {
  readonly times: (hours: readonly number[]) => readonly Axis[];
  readonly hoursOf: (at: Coordinates, hours: readonly number[]) => number;
  /** The order of the dimensions besides those of time; that order last to first where it is `reversed`. */
  readonly isReversed?: boolean;
}

const SINCE = 'hours since 1970-01-01';
const at = (coordinates: Coordinates, name: string): number => coordinates[name] ?? Number.NaN;
const leadsOf = (hours: readonly number[]): readonly [start: number, leads: readonly number[]] => {
  const start = Math.min(...hours) - 12;
  return [start, hours.map((hour) => hour - start)];
};
const dayOfYear = (hours: number): number => {
  const time = new Date(hours * HOUR_MILLIS);
  return (
    Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / HOUR_MILLIS / HOURS_PER_DAY) + 1
  );
};
const hourOfDay = (hours: number): number => new Date(hours * HOUR_MILLIS).getUTCHours();
const distinct = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);

/** The layouts that programs of the field write. */
export const LAYOUTS = {
  time: {
    times: (hours) => [{ name: 'time', values: hours, units: SINCE }],
    hoursOf: (value) => at(value, 'time'),
  },
  'valid_time, reversed': {
    times: (hours) => [{ name: 'valid_time', values: hours, units: SINCE }],
    hoursOf: (value) => at(value, 'valid_time'),
    isReversed: true,
  },
  'one member': {
    times: (hours) => [
      { name: 'number', values: [3] },
      { name: 'time', values: hours, units: SINCE },
    ],
    hoursOf: (value) => at(value, 'time'),
  },
  'T0 × lead': {
    times: (hours) => {
      const [start, leads] = leadsOf(hours);
      return [
        { name: 'time', values: [start], units: SINCE },
        { name: 'prediction_timedelta', values: leads, units: 'hours' },
      ];
    },
    hoursOf: (value) => at(value, 'time') + at(value, 'prediction_timedelta'),
  },
  'scalar T0, step': {
    times: (hours) => {
      const [start, leads] = leadsOf(hours);
      return [
        { name: 'time', values: [start], units: SINCE, isScalar: true },
        { name: 'step', values: leads, units: 'hours' },
      ];
    },
    hoursOf: (value, hours) => leadsOf(hours)[0] + at(value, 'step'),
  },
  'hour × dayofyear': {
    times: (hours) => [
      { name: 'hour', values: distinct(hours.map(hourOfDay)) },
      { name: 'dayofyear', values: distinct(hours.map(dayOfYear)) },
    ],
    hoursOf: (value, hours) =>
      hours.find(
        (hour) => dayOfYear(hour) === at(value, 'dayofyear') && hourOfDay(hour) === at(value, 'hour'),
      ) ?? Number.NaN,
  },
} as const satisfies Readonly<Record<string, Layout>>;
export type LayoutName = keyof typeof LAYOUTS;

const TYPES = {
  int8: ['|i1', Int8Array],
  uint8: ['|u1', Uint8Array],
  int16: ['<i2', Int16Array],
  uint16: ['<u2', Uint16Array],
  int32: ['<i4', Int32Array],
  float16: ['<f2', Float16Array],
  float32: ['<f4', Float32Array],
  float64: ['<f8', Float64Array],
} as const;
export type TypeName = keyof typeof TYPES;

interface Encoder {
  fromConfig(configuration: object): { encode(bytes: Uint8Array): Promise<Uint8Array> };
}
const library = (codec: unknown, settings: object) => (bytes: Uint8Array) =>
  (codec as Encoder).fromConfig(settings).encode(bytes);
const BLOSC = { cname: 'lz4', clevel: 5, blocksize: 0 };

/** Codecs of chunks: settings in both formats, and how they encode. */
const CODECS = {
  none: [null, null, (bytes: Uint8Array) => bytes],
  zlib: [{ id: 'zlib', level: 1 }, null, (bytes: Uint8Array) => deflateSync(bytes)],
  gzip: [
    { id: 'gzip', level: 1 },
    { name: 'gzip', configuration: { level: 1 } },
    (bytes: Uint8Array) => gzipSync(bytes),
  ],
  lz4: [{ id: 'lz4', acceleration: 1 }, null, library(Lz4, { acceleration: 1 })],
  zstd: [
    { id: 'zstd', level: 1 },
    { name: 'zstd', configuration: { level: 1, checksum: false } },
    library(Zstd, { level: 1 }),
  ],
  blosc: [
    { id: 'blosc', ...BLOSC, shuffle: 0 },
    { name: 'blosc', configuration: { ...BLOSC, shuffle: 'noshuffle', typesize: 1 } },
    library(Blosc, { ...BLOSC, shuffle: 0 }),
  ],
} as const;
export type CodecName = keyof typeof CODECS;
/** Codecs that format 3 has under their own names. */
export const V3_CODECS = ['none', 'gzip', 'zstd', 'blosc'] as const satisfies readonly CodecName[];

/** How fields are stored. */
export interface Storage {
  readonly format: 2 | 3;
  readonly type: TypeName;
  readonly codec: CodecName;
  /** Attributes of fields, such as scale and marks. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** The array's own fill value. */
  readonly fill?: number | 'NaN' | null;
  /** Rows and columns of a chunk. */
  readonly tile: readonly [rows: number, columns: number];
  /** One file for all chunks of an array, with the index at this end; format 3 only. Null for a file for each chunk. */
  readonly shardIndex?: 'start' | 'end' | null;
}

/** A store as somebody else writes it. */
export interface ForeignStore {
  readonly layout: LayoutName;
  readonly storage: Storage;
  /** Valid times, hours since 1970. */
  readonly hours: readonly number[];
  readonly levels: readonly number[];
  readonly latitudes: readonly number[];
  readonly longitudes: readonly number[];
  readonly variables: readonly { readonly name: string; readonly onLevels: boolean }[];
  /** What is stored at a place: packed, with marks. */
  readonly stored: (name: string, place: Place) => number;
}

/** The files of a store, by their paths. */
export async function foreignFiles(store: ForeignStore): Promise<Map<string, Uint8Array>> {
  const { format } = store.storage;
  const files = new Map<string, Uint8Array>();
  setJson(files, format === 2 ? '.zgroup' : 'zarr.json', {
    zarr_format: format,
    ...(format === 3 && { node_type: 'group', attributes: {} }),
  });
  const layout: Layout = LAYOUTS[store.layout];
  const times = layout.times(store.hours);
  const level: Axis = { name: 'level', values: store.levels, units: 'hPa' };
  const grid: readonly Axis[] = [
    { name: 'latitude', values: store.latitudes },
    { name: 'longitude', values: store.longitudes },
  ];
  for (const axis of [...times, level, ...grid]) await putAxis(files, axis, format);
  for (const { name, onLevels } of store.variables) {
    const inOrder = [
      ...times.filter(({ isScalar }) => isScalar !== true),
      ...(onLevels ? [level] : []),
      ...grid,
    ];
    const axes = layout.isReversed === true ? inOrder.toReversed() : inOrder;
    const valueAt = (place: readonly number[]): number => {
      const found = Object.fromEntries(
        axes.map((axis, index) => [axis.name, axis.values[place[index] ?? 0] ?? 0]),
      );
      const hours = layout.hoursOf(found, store.hours);
      const [pressureHpa, latitude, longitude] = [
        at(found, 'level'),
        at(found, 'latitude'),
        at(found, 'longitude'),
      ];
      return store.stored(name, { hours, pressureHpa, latitude, longitude });
    };
    await putArray(files, { name, axes, valueAt, storage: store.storage });
  }
  return files;
}

async function putAxis(files: Map<string, Uint8Array>, axis: Axis, format: 2 | 3): Promise<void> {
  const { name, values, units, isScalar = false } = axis;
  await putArray(files, {
    name,
    axes: isScalar ? [] : [axis],
    valueAt: ([index = 0]) => values[index] ?? 0,
    storage: {
      format,
      type: 'float64',
      codec: 'none',
      tile: [1, 1],
      attributes: units === undefined ? {} : { units },
    },
  });
}

interface NewArray {
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly valueAt: (place: readonly number[]) => number;
  readonly storage: Storage;
}

async function putArray(files: Map<string, Uint8Array>, array: NewArray): Promise<void> {
  const { name, axes, valueAt, storage } = array;
  const shape = axes.map(({ values }) => values.length);
  const chunk = axes.map((axis) => chunkLength(axis, storage));
  const counts = shape.map((length, axis) => Math.ceil(length / (chunk[axis] ?? 1)));
  putMetadata(files, array, { shape, chunk, counts });
  const encoded: (readonly [place: readonly number[], bytes: Uint8Array])[] = [];
  for (const place of placesOf(counts)) {
    const values = placesOf(chunk).map((inside) => {
      const whole = inside.map((index, axis) => (place[axis] ?? 0) * (chunk[axis] ?? 1) + index);
      return whole.every((index, axis) => index < (shape[axis] ?? 1)) ? valueAt(whole) : 0;
    });
    const [, ValueArray] = TYPES[storage.type];
    const bytes = new Uint8Array(ValueArray.from(values).buffer);
    encoded.push([place, await CODECS[storage.codec][2](bytes)]);
  }
  if (storage.shardIndex != null) {
    const shard = toShard(
      encoded.map(([, bytes]) => bytes),
      storage.shardIndex,
    );
    files.set(`${name}/c/${shape.map(() => 0).join('/')}`, shard);
    return;
  }
  for (const [place, bytes] of encoded) files.set(chunkKey(name, place, storage.format), bytes);
}

const chunkKey = (name: string, place: readonly number[], format: 2 | 3): string =>
  format === 3 ? [name, 'c', ...place].join('/') : `${name}/${place.length === 0 ? '0' : place.join('.')}`;

/** Fields are cut into tiles; coordinates are whole. */
function chunkLength({ name, values }: Axis, { type, tile }: Storage): number {
  const isCoordinate = type === 'float64' && tile[0] === 1 && tile[1] === 1;
  if (isCoordinate) return values.length;
  if (name === 'latitude') return tile[0];
  return name === 'longitude' ? tile[1] : 1;
}

/** All places in a box, row-major; one for a box without axes. */
function placesOf(lengths: readonly number[]): readonly (readonly number[])[] {
  return lengths.reduce<readonly (readonly number[])[]>(
    (places, length) => places.flatMap((place) => Array.from({ length }, (_, index) => [...place, index])),
    [[]],
  );
}

function putMetadata(
  files: Map<string, Uint8Array>,
  { name, axes, storage }: NewArray,
  { shape, chunk, counts }: Readonly<Record<'shape' | 'chunk' | 'counts', readonly number[]>>,
): void {
  const { format, type, codec, attributes = {}, fill = null, shardIndex = null } = storage;
  const dimensions = axes.map((axis) => axis.name);
  const [compressor, v3Codec] = CODECS[codec];
  if (format === 2) {
    const [dtype] = TYPES[type];
    const document = { shape, chunks: chunk, dtype, compressor, filters: null, fill_value: fill, order: 'C' };
    setJson(files, `${name}/.zarray`, { zarr_format: 2, ...document });
    setJson(files, `${name}/.zattrs`, { _ARRAY_DIMENSIONS: dimensions, ...attributes });
    return;
  }
  const little = { name: 'bytes', configuration: { endian: 'little' } };
  const codecs = v3Codec === null ? [little] : [little, v3Codec];
  const shard = {
    chunk_shape: chunk,
    codecs,
    index_codecs: [little, { name: 'crc32c' }],
    index_location: shardIndex,
  };
  const outer = shardIndex !== null ? chunk.map((length, axis) => length * (counts[axis] ?? 1)) : chunk;
  setJson(files, `${name}/zarr.json`, {
    ...{ zarr_format: 3, node_type: 'array', shape, data_type: type, attributes },
    chunk_grid: { name: 'regular', configuration: { chunk_shape: outer } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    codecs: shardIndex !== null ? [{ name: 'sharding_indexed', configuration: shard }] : codecs,
    ...{ fill_value: fill ?? 0, dimension_names: dimensions },
  });
}

/** Chunks one after another, and at one end offset and length of each, with the sum of those. */
function toShard(chunks: readonly Uint8Array[], indexLocation: 'start' | 'end'): Uint8Array {
  const index = Buffer.alloc(16 * chunks.length);
  let offset = indexLocation === 'start' ? index.length + 4 : 0;
  for (const [place, chunk] of chunks.entries()) {
    index.writeBigUInt64LE(BigInt(offset), 16 * place);
    index.writeBigUInt64LE(BigInt(chunk.length), 16 * place + 8);
    offset += chunk.length;
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32c(index));
  return Buffer.concat(indexLocation === 'start' ? [index, sum, ...chunks] : [...chunks, index, sum]);
}

/** CRC-32C (Castagnoli), bit by bit. */
function crc32c(bytes: Uint8Array): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return ~sum >>> 0;
}
