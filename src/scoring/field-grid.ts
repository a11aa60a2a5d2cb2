import { latitudeWeights } from './latitude-weights.ts';

/** One latitude row of a grid with the weight that all its points share. */
export interface GridRow extends RowSpan {
  /** cos(latitude); 0 for a row without area. */
  readonly weight: number;
}

/**
 * The rows of the grid on which all the fields lie.
 *
 * @param fields named, row-major (latitude, longitude); absent ones are not checked
 * @param latitudes degrees, one per row
 * @param weightsOf the weight of each row; cos(latitude) unless given
 * @throws RangeError when the fields differ in length or do not divide into that many rows
 */
export function gridRows(
  fields: Readonly<Record<string, FieldValues | undefined>>,
  latitudes: ArrayLike<number>,
  weightsOf: (latitudes: ArrayLike<number>) => Float64Array = latitudeWeights,
): GridRow[] {
  const points = sharedLength(fields);
  const length = points / latitudes.length;
  if (!Number.isInteger(length) || length === 0) {
    throw new RangeError(
      `A field of ${points} values does not divide into ${latitudes.length} latitude rows; give one latitude per row of a row-major (latitude, longitude) field.`,
    );
  }
  return Array.from(weightsOf(latitudes), (weight, row) => ({
    weight,
    start: row * length,
    end: (row + 1) * length,
  }));
}

function sharedLength(fields: Readonly<Record<string, FieldValues | undefined>>): number {
  const lengths = Object.entries(fields).flatMap(([name, field]) =>
    field === undefined ? [] : [{ name, length: field.length }],
  );
  const length = lengths[0]?.length ?? 0;
  if (lengths.some((field) => field.length !== length)) {
    const got = lengths.map((field) => `${field.name} ${field.length}`).join(', ');
    throw new RangeError(
      `Fields that are compared need the same number of values, got ${got}; put them on one grid first.`,
    );
  }
  return length;
}

/**
 * The first index of the row at which every field is finite: origin of the shifted sums of the row. The start of the
 * row where there is none; nothing is summed then.
 */
export function firstSharedPoint(fields: readonly FieldValues[], row: RowSpan): number {
  for (let index = row.start; index < row.end; index++) {
    if (fields.every((field) => Number.isFinite(field[index]))) return index;
  }
  return row.start;
}

/** The values of one horizontal field, row-major (latitude, longitude), in the unit of its variable. NaN is missing. */
export type FieldValues = Float32Array | Float64Array;

/** A half-open range of indices: the points of one latitude row. */
export interface RowSpan {
  readonly start: number;
  readonly end: number;
}
