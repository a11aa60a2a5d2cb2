import type { ErrorCategory, StoreKind, Variable } from '#semconv';

/** One of the nine forecast variables, as a store holds it. */
export interface GridVariable {
  readonly name: Variable;
  /** Isobaric levels in hPa, in the store's order; null for a surface variable. */
  readonly pressureLevelsHpa: readonly number[] | null;
  /** As stored; null where the metadata has none. */
  readonly units: string | null;
}

/** Which field to read. */
export interface FieldRequest {
  readonly variable: Variable;
  /** hPa; null for a surface variable. */
  readonly pressureHpa: number | null;
  readonly validTime: Date;
}

/** The points of a latitude-longitude grid, in degrees. */
export interface Grid {
  /** Strictly rising or strictly falling. */
  readonly latitudes: Float64Array;
  /** Strictly rising or strictly falling, spanning at most 360. */
  readonly longitudes: Float64Array;
}

/** Uniform interface to gridded fields, independent of storage format and location. */
export interface GridStore extends Grid {
  readonly variables: readonly GridVariable[];
  /** None for a climatology by day of year. */
  readonly validTimes: readonly Date[];
  /** Whether it is a climatology by day of year, which has a field for every time. */
  readonly isByDayOfYear?: boolean;
  /**
   * One field on the store's own grid: row-major (latitude, longitude), NaN where the store holds no value.
   *
   * @param onDigest told the SHA-256 (hex) of the files and ranges that the field was read from, and of what they mean; not called
   *   by a store that knows no bytes
   * @throws GridTimeMissingError where the store lacks the valid time, CategorizedError for everything else.
   */
  readField(request: FieldRequest, onDigest?: (digest: string) => void): Promise<Float32Array>;
  /** What is recorded of the store; absent for one that a program made by itself. */
  readonly inputs?: StoreInputs;
}

/** What is recorded of a store from which a score was made. */
export interface StoreInputs {
  readonly kind: StoreKind;
  /** Without host, user, query and folders; null for a store without a place of its own. */
  readonly address: string | null;
  /** Experiment version of ERA5 at a time: `0001` is final, `0005` preliminary (ERA5T); null where the store has none. */
  readonly expverAt: (validTime: Date) => Promise<string | null>;
}

/** Reads a field with the digest of what it was read from; null for a store that knows none. */
export async function readDigestedField(
  store: GridStore,
  request: FieldRequest,
): Promise<{ readonly values: Float32Array; readonly digest: string | null }> {
  const found: { digest: string | null } = { digest: null };
  const values = await store.readField(request, (digest) => {
    found.digest = digest;
  });
  return { values, digest: found.digest };
}

/** Whether a store has fields of a valid time, to the millisecond. */
export const hasTime = (
  { validTimes, isByDayOfYear = false }: Pick<GridStore, 'validTimes' | 'isByDayOfYear'>,
  validTime: Date,
): boolean => isByDayOfYear || validTimes.some((time) => time.getTime() === validTime.getTime());

export interface GridStoreOptions {
  /** Whether the store may be a climatology by day of year; as truth or forecast it would have fields of the future. Default no. */
  readonly allowsDayOfYear?: boolean;
  /** Error category of an absent valid time, chosen by the caller. Default `invalid_response`. */
  readonly timeMissingCategory?: ErrorCategory;
  /** Whether a chunk file that is absent is an error, instead of the fill value of the Zarr specification. */
  readonly requireChunks?: boolean;
  /** What is recorded of a store of bytes that does not show where it is. */
  readonly origin?: Pick<StoreInputs, 'kind' | 'address'>;
  /** The most bytes of one chunk, and of the values of one field. Default 1 GiB. */
  readonly maxFieldBytes?: number;
  /** Called with the bytes of each file, or range of one, that is read. */
  readonly onRead?: (bytes: number) => void;
}
