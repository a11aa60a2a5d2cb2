import fc from 'fast-check';
import type { FieldScoreInput, FieldValues } from '#scoring/field-scores';

/** Values around 280 in steps of 1/8, which both kinds of array hold exactly, with a few missing or infinite. */
const value = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -400, max: 400 }).map((eighths) => 280 + eighths / 8) },
  { weight: 2, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
);
const finiteValue = fc.integer({ min: -400, max: 400 }).map((eighths) => 280 + eighths / 8);
const latitude = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: -90, max: 90 }) },
  { weight: 1, arbitrary: fc.constant(NaN) },
);

/** Grids of up to 6 x 7 points with all four fields, any of which may have gaps. */
export const fieldsWithGaps: fc.Arbitrary<Required<FieldScoreInput>> = fields(value, latitude);

/** The same without gaps and with latitudes that all have a weight. */
export const fieldsWithoutGaps: fc.Arbitrary<Required<FieldScoreInput>> = fields(
  finiteValue,
  fc.integer({ min: -89, max: 89 }),
);

function fields(
  values: fc.Arbitrary<number>,
  latitudes: fc.Arbitrary<number>,
): fc.Arbitrary<Required<FieldScoreInput>> {
  return fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 })).chain(([rows, columns]) => {
    const points = rows * columns;
    const field: fc.Arbitrary<FieldValues> = fc
      .tuple(fc.boolean(), fc.array(values, { minLength: points, maxLength: points }))
      .map(([single, numbers]) => (single ? Float32Array.from(numbers) : Float64Array.from(numbers)));
    return fc.record({
      forecast: field,
      truth: field,
      reference: field,
      climatology: field,
      latitudes: fc.array(latitudes, { minLength: rows, maxLength: rows }),
    });
  });
}
