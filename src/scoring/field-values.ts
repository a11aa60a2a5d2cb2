/** The values of one horizontal field, row-major (latitude, longitude), in the unit of its variable. NaN is missing. */
export type FieldValues = Float32Array | Float64Array;

/** A half-open range of indices: the points of one latitude row. */
export interface RowSpan {
  readonly start: number;
  readonly end: number;
}
