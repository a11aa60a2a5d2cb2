import { readdir } from 'node:fs/promises';
import type { AsyncReadable } from 'zarrita';
import { CategorizedError, type Variable } from '#semconv';
import { VARIABLE_NAMES } from '#semconv/variable-names';
import type { ArrayDescription } from './array-description.ts';
import { coordinateNames, fieldAxes, type FieldAxes, isOfGrid, isOnLevels } from './axes.ts';
import { withChunkGuard } from './chunk-guard.ts';
import { type Coordinates, readCoordinates } from './coordinates.ts';
import { createDirectoryStore, createMemoryStore } from './directory-store.ts';
import { createArrayFieldReader, type FieldIndex } from './field-reader.ts';
import { GridTimeMissingError, invalidStore, toGridError } from './grid-errors.ts';
import type { FieldRequest, GridStore, GridStoreOptions, GridVariable, StoreInputs } from './grid-store.ts';
import { createHttpStore } from './http-store.ts';
import { MOST_FIELD_BYTES, requireReadable } from './read-limits.ts';
import {
  createExpverReader,
  type DigestingStore,
  meaningOf,
  originOf,
  withReadDigests,
} from './store-inputs.ts';
import { readVariables, type StoredVariable } from './stored-variables.ts';
import { openArray, openZarrGroup, type ZarrGroup } from './zarr-group.ts';

/** A local directory, an http(s) URL, files in memory by relative path, or any store of bytes. */
export type GridSource = string | ReadonlyMap<string, Uint8Array> | AsyncReadable;

/**
 * Opens the nine forecast variables of a Zarr store, v2 or v3, consolidated or not, by the names that the field gives them.
 * Other arrays are ignored. Fields are read in the units of the vocabulary, whatever the store holds.
 *
 * Reads and validates all metadata and coordinates eagerly; fields are read on request.
 *
 * @throws CategorizedError `not_found` where nothing is stored, `data_missing_variable` where none of the nine is,
 * `invalid_response` for what breaks the format, and the errors of the store itself.
 */
export async function openGridStore(source: GridSource, options: GridStoreOptions = {}): Promise<GridStore> {
  try {
    const readable = toReadable(source);
    const reads = withReadDigests(
      options.onRead === undefined ? readable : withReadCount(readable, options.onRead),
    );
    const group = await openZarrGroup(reads.store, await listFolders(source));
    const stored = await readVariables(group);
    const descriptions = stored.map(({ description }) => description);
    for (const description of descriptions) {
      const maxBytes = options.maxFieldBytes ?? MOST_FIELD_BYTES;
      requireReadable(description, { isWhole: isOfGrid(fieldAxes(description)), maxBytes });
    }
    const coordinates = await readCoordinates(group, coordinateNames(descriptions));
    for (const description of descriptions) requireSameShape(description, coordinates);
    const { requireChunks = false, allowsDayOfYear = false } = options;
    if (coordinates.times.isByDayOfYear && !allowsDayOfYear)
      throw invalidStore(
        'The store is a climatology: its fields are by day of the year (dayofyear), not by valid time. Only --climatology may be one.',
      );
    const store = withChunkGuard(group.store, { arrays: descriptions, requireChunks });
    const inputs = {
      ...(options.origin ?? originOf(source)),
      expverAt: createExpverReader(group, coordinates.times),
    };
    return await createGridStore({ ...group, store }, { stored, coordinates, options, reads, inputs });
  } catch (error) {
    throw toGridError(error, 'The store');
  }
}

/** Wraps a URL, a directory or files in memory as a store of bytes; a store of bytes passes unchanged. */
function toReadable(source: GridSource): AsyncReadable {
  if (source instanceof Map) return createMemoryStore(source as ReadonlyMap<string, Uint8Array>);
  if (typeof source !== 'string') return source as AsyncReadable;
  return isUrl(source) ? createHttpStore(source) : createDirectoryStore(source);
}

const isUrl = (source: string): boolean => /^https?:\/\//i.test(source);

/** The folders of a store that is a local directory. A file system that cannot be listed is the matter of the reads. */
async function listFolders(source: GridSource): Promise<readonly string[] | undefined> {
  if (typeof source !== 'string' || isUrl(source)) return undefined;
  const entries = await readdir(source, { withFileTypes: true }).catch(() => undefined);
  return entries?.filter((entry) => !entry.isFile()).map(({ name }) => name);
}

/** Tells of every read of a store of bytes; without anybody to tell, the store itself. */
function withReadCount(store: AsyncReadable, onRead: GridStoreOptions['onRead']): AsyncReadable {
  if (onRead === undefined) return store;
  const count = (bytes: Uint8Array | undefined): Uint8Array | undefined => {
    if (bytes !== undefined) onRead(bytes.byteLength);
    return bytes;
  };
  return {
    get: async (key, options) => count(await store.get(key, options)),
    ...(store.getRange && {
      getRange: async (key, range, options) => count(await store.getRange?.(key, range, options)),
    }),
  };
}

function requireSameShape(description: ArrayDescription, coordinates: Coordinates): void {
  const lengthOf = (role: FieldAxes[number]): number =>
    role === 'single' ? 1 : (coordinates.lengths.get(role) ?? 0);
  const expected = fieldAxes(description).map(lengthOf);
  if (expected.every((length, axis) => length === description.shape[axis])) return;
  throw invalidStore(
    `Variable ${description.name} has shape (${description.shape.join(', ')}); ` +
      `its coordinates have lengths (${expected.join(', ')}).`,
  );
}

interface GridParts {
  readonly stored: readonly StoredVariable[];
  readonly coordinates: Coordinates;
  readonly options: GridStoreOptions;
  readonly reads: DigestingStore;
  readonly inputs: StoreInputs;
}

/** Reads one variable, whose bytes mean what `meaning` says. */
interface VariableReader {
  readonly read: (index: FieldIndex) => Promise<Float32Array>;
  readonly meaning: string;
}

/** Opens the array of every variable once; later reads need no metadata. */
async function openReaders(
  group: ZarrGroup,
  { stored, coordinates }: GridParts,
): Promise<ReadonlyMap<Variable, VariableReader>> {
  const readers = new Map<Variable, VariableReader>();
  for (const { variable, description } of stored) {
    const array = await openArray(group, description.name);
    readers.set(variable, {
      read: createArrayFieldReader(array, description, coordinates.longitudes.length),
      meaning: await meaningOf(group, description, coordinates),
    });
  }
  return readers;
}

async function createGridStore(group: ZarrGroup, parts: GridParts): Promise<GridStore> {
  const { stored, coordinates, options, reads, inputs } = parts;
  const { times, latitudes, longitudes } = coordinates;
  const readers = await openReaders(group, parts);
  const variables = stored.map((one) => toVariable(one, coordinates));
  const find = (request: FieldRequest) => {
    const levelIndex = findLevel(request, variables);
    const timeIndex = times.indexOf(request.validTime);
    const reader = readers.get(request.variable);
    if (timeIndex === undefined || reader === undefined) {
      const category = options.timeMissingCategory ?? 'invalid_response';
      throw new GridTimeMissingError(category, request.validTime, times.validTimes);
    }
    return { meaning: reader.meaning, read: () => reader.read({ timeIndex, levelIndex }) };
  };
  return {
    variables,
    validTimes: times.validTimes,
    isByDayOfYear: times.isByDayOfYear,
    latitudes,
    longitudes,
    inputs,
    async readField(request, onDigest) {
      const { meaning, read } = find(request);
      if (onDigest === undefined) return read();
      const { value, digest } = await reads.digest(meaning, read);
      onDigest(digest);
      return value;
    },
  };
}

function toVariable({ variable, description }: StoredVariable, coordinates: Coordinates): GridVariable {
  // A scalar level is that of the variables that have levels.
  const isOfLevel = !coordinates.lengths.has('level') && VARIABLE_NAMES[variable].isOnLevels;
  return {
    name: variable,
    pressureLevelsHpa: isOnLevels(description) || isOfLevel ? coordinates.pressureLevelsHpa : null,
    units: description.units,
  };
}

/** Index on the level axis; 0 for a surface variable. */
function findLevel({ variable, pressureHpa }: FieldRequest, variables: readonly GridVariable[]): number {
  const found = variables.find(({ name }) => name === variable);
  if (found === undefined) {
    const names = variables.map(({ name }) => name).join(', ');
    throw new CategorizedError(
      'data_missing_variable',
      `Variable ${variable} is not in the store, which has ${names}.`,
    );
  }
  if (found.pressureLevelsHpa === null && pressureHpa === null) return 0;
  const index = pressureHpa === null ? -1 : (found.pressureLevelsHpa?.indexOf(pressureHpa) ?? -1);
  if (index >= 0) return index;
  const wanted = pressureHpa === null ? 'the surface' : `${String(pressureHpa)} hPa`;
  const allowed =
    found.pressureLevelsHpa === null ? 'the surface' : `${found.pressureLevelsHpa.join(', ')} hPa`;
  throw invalidStore(`Variable ${variable} is not stored at ${wanted}; the store has it at ${allowed}.`);
}
