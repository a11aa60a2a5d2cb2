import type { FieldValues, RowSpan } from './field-values.ts';

/**
 * The first index of the row at which every field is finite: where the sums of the row take their shift. The start of
 * the row where there is none, for then nothing is summed.
 */
export function firstSharedPoint(fields: readonly FieldValues[], row: RowSpan): number {
  for (let index = row.start; index < row.end; index++) {
    if (fields.every((field) => Number.isFinite(field[index]))) return index;
  }
  return row.start;
}
