import type { ErrorCategory, Variable } from '#semconv';

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
   * @throws GridTimeMissingError where the store lacks the valid time, CategorizedError for everything else.
   */
  readField(request: FieldRequest): Promise<Float32Array>;
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
}
