import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Variable } from '#semconv';
import type { ZarrFormat } from './array-description.ts';
import { type ChunkCodec, type ChunkCodecName, createChunkCodec } from './codecs/chunk-codec.ts';
import type { Grid } from './grid-store.ts';
import { arrayDocuments, chunkPath, type NewArray, rootDocuments } from './write-metadata.ts';

/** A dataset to be written; fields are produced on demand. */
export interface GridDataset extends Grid {
  readonly validTimes: readonly Date[];
  /** hPa; empty where no variable is on levels. */
  readonly pressureLevelsHpa: readonly number[];
  readonly variables: readonly GridDatasetVariable[];
}

export interface GridDatasetVariable {
  readonly name: Variable;
  readonly units: string | null;
  /** Whether the variable has all pressure levels, or is at the surface. */
  readonly onLevels: boolean;
  /** Row-major (latitude, longitude). */
  field(place: {
    readonly validTime: Date;
    readonly pressureHpa: number | null;
  }): Float32Array | Promise<Float32Array>;
}

export interface WriteGridStoreOptions {
  readonly zarrFormat: ZarrFormat;
  /** Default `blosc`, with zstd inside. */
  readonly codec?: ChunkCodecName;
}

/** A directory to be created, or a map to be filled, from relative path to bytes. */
export type GridTarget = string | Map<string, Uint8Array>;

/**
 * Writes a grid store: one chunk for each time and level, the whole globe in it; format 2 has consolidated metadata.
 *
 * Deterministic: the same dataset gives the same bytes.
 */
export async function writeGridStore(
  target: GridTarget,
  dataset: GridDataset,
  options: WriteGridStoreOptions,
): Promise<void> {
  const { zarrFormat } = options;
  const codec = createChunkCodec(options.codec ?? 'blosc');
  const write = createSink(target);
  const coordinates = coordinateArrays(dataset);
  const fields = dataset.variables.map((variable) => fieldArray(variable, dataset));
  const documents = [...coordinates.map(({ array }) => array), ...fields].flatMap((array) =>
    arrayDocuments(array, { zarrFormat, codec }),
  );
  for (const [path, document] of [...documents, ...rootDocuments(documents, zarrFormat)]) {
    await write(path, new TextEncoder().encode(JSON.stringify(document, null, 2)));
  }
  for (const { array, values } of coordinates) {
    await write(chunkPath(array, [0], zarrFormat), await codec.encode(bytesOf(values)));
  }
  for (const [index, variable] of dataset.variables.entries()) {
    const array = fields[index];
    if (array !== undefined) await writeFields({ variable, array, dataset, zarrFormat, codec, write });
  }
}

/** Writes one file; resolves once it is written. */
type Sink = (path: string, bytes: Uint8Array) => Promise<void>;

function createSink(target: GridTarget): Sink {
  if (typeof target !== 'string') {
    return async (path, bytes) => {
      target.set(path, bytes);
      // Producing and encoding fields is CPU-bound: yields, so that timers and I/O are served between files.
      await yieldToEventLoop();
    };
  }
  const created = new Map<string, Promise<unknown>>();
  return async (path, bytes) => {
    const file = join(target, path);
    const directory = dirname(file);
    const ready = created.get(directory) ?? mkdir(directory, { recursive: true });
    created.set(directory, ready);
    await ready;
    await writeFile(file, bytes);
  };
}

interface FieldWriting {
  readonly variable: GridDatasetVariable;
  readonly array: NewArray;
  readonly dataset: GridDataset;
  readonly zarrFormat: ZarrFormat;
  readonly codec: ChunkCodec;
  readonly write: Sink;
}

async function writeFields({
  variable,
  array,
  dataset,
  zarrFormat,
  codec,
  write,
}: FieldWriting): Promise<void> {
  const points = dataset.latitudes.length * dataset.longitudes.length;
  const levels = variable.onLevels ? dataset.pressureLevelsHpa : [null];
  for (const [timeIndex, validTime] of dataset.validTimes.entries()) {
    for (const [levelIndex, pressureHpa] of levels.entries()) {
      const values = await variable.field({ validTime, pressureHpa });
      if (values.length !== points) {
        throw new RangeError(
          `Field ${variable.name} has ${String(values.length)} values; the grid has ${String(points)}.`,
        );
      }
      const place = variable.onLevels ? [timeIndex, levelIndex, 0, 0] : [timeIndex, 0, 0];
      await write(chunkPath(array, place, zarrFormat), await codec.encode(bytesOf(values)));
    }
  }
}

interface CoordinateArray {
  readonly array: NewArray;
  readonly values: Float64Array | BigInt64Array;
}

/** Times as whole seconds, which any program can read; coordinates as one chunk each. */
function coordinateArrays(dataset: GridDataset): CoordinateArray[] {
  const seconds = dataset.validTimes.map((time) => BigInt(Math.round(time.getTime() / 1000)));
  const time = coordinate('time', BigInt64Array.from(seconds), {
    units: 'seconds since 1970-01-01',
    calendar: 'proleptic_gregorian',
  });
  const grid = [
    coordinate('lat', dataset.latitudes, { units: 'degrees_north' }),
    coordinate('lon', dataset.longitudes, { units: 'degrees_east' }),
  ];
  if (dataset.pressureLevelsHpa.length === 0) return [time, ...grid];
  return [
    time,
    coordinate('pressure_level', Float64Array.from(dataset.pressureLevelsHpa), { units: 'hPa' }),
    ...grid,
  ];
}

function coordinate(
  name: string,
  values: CoordinateArray['values'],
  attributes: Readonly<Record<string, string>>,
): CoordinateArray {
  const dataType = values instanceof BigInt64Array ? 'int64' : 'float64';
  const lengths = [values.length];
  return {
    array: { name, dimensions: [name], shape: lengths, chunkShape: lengths, dataType, attributes },
    values,
  };
}

function fieldArray({ name, units, onLevels }: GridDatasetVariable, dataset: GridDataset): NewArray {
  const { validTimes, pressureLevelsHpa, latitudes, longitudes } = dataset;
  const level = onLevels ? [pressureLevelsHpa.length] : [];
  return {
    name,
    dimensions: onLevels ? ['time', 'pressure_level', 'lat', 'lon'] : ['time', 'lat', 'lon'],
    shape: [validTimes.length, ...level, latitudes.length, longitudes.length],
    chunkShape: [1, ...level.map(() => 1), latitudes.length, longitudes.length],
    dataType: 'float32',
    attributes: units === null ? {} : { units },
  };
}

/** Raw memory, which is little-endian: every platform of Node is. */
function bytesOf(values: Float32Array | Float64Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
