/** A field in double precision, row-major (latitude, longitude). */
export const field = (...values: number[]): Float64Array => Float64Array.from(values);
