import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureAnomalies } from '#scoring/field-anomalies';
import { measureErrors } from '#scoring/field-errors';
import { gridRows } from '#scoring/field-grid';
import { measureReference } from '#scoring/field-reference';
import { scoreField } from '#scoring/field-scores';
import { KERNEL_POINTS } from '#scoring/simd/row-kernel';
import { sumRows } from '#scoring/sum-rows';
import { naiveFieldScores } from './support/naive-field-scores.ts';

const names = ['forecast', 'truth', 'reference', 'climatology'] as const;

/** Four fields in single precision, around 280 and different at every point. */
function fieldsOf(points: number, value = (point: number, seed: number) => 280 + 9 * Math.sin(point * seed)) {
  const field = (seed: number) => Float32Array.from({ length: points }, (_, point) => value(point, seed));
  return { forecast: field(1.3), truth: field(1.7), reference: field(2.9), climatology: field(0.01) };
}
/** Equal within rounding; products of weakly correlated fields are small differences of large squares. */
function expectClose(actual: object, expected: object): void {
  for (const [name, wanted] of Object.entries(expected) as [string, number | object][]) {
    const got = actual[name as keyof typeof actual] as number | object;
    if (typeof wanted === 'object') expectClose(got as object, wanted);
    else
      expect(Math.abs((got as number) - wanted), name).toBeLessThanOrEqual(
        1e-10 * Math.max(1, Math.abs(wanted)),
      );
  }
}

/** Statistics summed point by point, and those of kernel and remaining rows merged. */
function sumBothWays(fields: ReturnType<typeof fieldsOf>, latitudes: readonly number[]) {
  const rows = gridRows(fields, latitudes);
  const { rest, errors, anomalies, reference } = sumRows(fields, rows);
  return {
    rest: rest.map(({ start }) => rows.findIndex((row) => row.start === start)),
    joined: {
      errors: measureErrors(fields, rest, errors),
      anomalies: measureAnomalies(fields, rest, anomalies),
      reference: measureReference(fields, rest, reference),
    },
    pointByPoint: {
      errors: measureErrors(fields, rows),
      anomalies: measureAnomalies(fields, rows),
      reference: measureReference(fields, rows),
    },
  };
}

describe('sumRows', () => {
  it('the kernel sums of a field equal its sums point by point', () => {
    const { rest, joined, pointByPoint } = sumBothWays(fieldsOf(6 * 8), [75, 45, 15, -15, -45, NaN]);
    expect(rest).toEqual([]);
    expectClose(joined, pointByPoint);
  });

  it.each(names)('a row with a gap of the %s is returned unsummed, and only that row', (name) => {
    for (const gap of [NaN, Infinity, -Infinity]) {
      for (const column of [0, 1, 7]) {
        const fields = fieldsOf(3 * 8);
        fields[name][8 + column] = gap;
        const { rest, joined, pointByPoint } = sumBothWays(fields, [30, 0, -60]);
        expect(rest).toEqual([1]);
        expectClose(joined, pointByPoint);
      }
    }
  });

  it('a field larger than the memory of the kernel is summed block by block', () => {
    const points = 4096;
    const rows = (3 * KERNEL_POINTS) / points + 1;
    const latitudes = Array.from({ length: rows }, (_, row) => 80 - 6 * row);
    const { rest, joined, pointByPoint } = sumBothWays(fieldsOf(rows * points), latitudes);
    expect(rest).toEqual([]);
    expectClose(joined, pointByPoint);
  });

  it('double precision, odd rows and rows beyond the kernel memory are returned unsummed', () => {
    const fields = fieldsOf(8);
    const double = { ...fields, truth: Float64Array.from(fields.truth) };
    expect(sumRows(double, gridRows(double, [0])).rest).toHaveLength(1);
    expect(sumBothWays(fieldsOf(6), [10, -10]).rest).toEqual([0, 1]);
    expect(sumBothWays(fieldsOf(KERNEL_POINTS + 2), [0]).rest).toEqual([0]);
  });

  it('a field whose difference hardly varies is returned unsummed, so that a constant error is exact', () => {
    const fields = fieldsOf(2 * 8);
    const forecast = fields.truth.map((value) => value + 4);
    expect(sumBothWays({ ...fields, forecast }, [10, -10]).rest).toEqual([0, 1]);
    const truth = Float32Array.of(3, 5, 7, 11);
    const input = { forecast: truth.map((value) => value + 4), truth, reference: truth, latitudes: [20, 70] };
    expect(scoreField(input)).toMatchObject({ bias: 4, skillScoreReference: 1 });
  });

  it('rows that all have gaps leave the sums empty', () => {
    const fields = fieldsOf(2 * 4);
    fields.truth.fill(NaN);
    const { rest, errors } = sumRows(fields, gridRows(fields, [10, -10]));
    expect(rest).toHaveLength(2);
    expect(errors).toMatchObject({ sharedPoints: 0, forecastMin: Infinity });
  });

  it('reference and climatology are optional', () => {
    const { forecast, truth } = fieldsOf(8);
    const { rest, errors } = sumRows({ forecast, truth }, gridRows({ forecast, truth }, [0]));
    expect([rest.length, errors.sharedPoints]).toEqual([0, 8]);
  });
});

describe('scoreField in single precision', () => {
  it('single-precision scores equal their definitions on any grid with any gaps', () => {
    const value = fc.oneof(
      { weight: 30, arbitrary: fc.integer({ min: -400, max: 400 }).map((eighths) => 280 + eighths / 8) },
      { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity) },
    );
    const input = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom(2, 4, 6))
      .chain(([rows, columns]) => {
        const points = rows * columns;
        const field = fc
          .array(value, { minLength: points, maxLength: points })
          .map((all) => Float32Array.from(all));
        const latitudes = fc.array(fc.integer({ min: -89, max: 89 }), { minLength: rows, maxLength: rows });
        return fc.record({ forecast: field, truth: field, reference: field, climatology: field, latitudes });
      });
    fc.assert(
      fc.property(input, (fields) => {
        const scores = scoreField(fields);
        const expected = naiveFieldScores(fields);
        for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
          const [got, wanted] = [scores[name], expected[name]];
          if (got === null || wanted === null) expect(got, name).toBe(wanted);
          else expect(Math.abs(got - wanted), name).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(wanted)));
        }
      }),
      { seed: 17, numRuns: 400 },
    );
  });

  it('a copy has a distance of exactly 0, and a perfect forecast an error of exactly 0', () => {
    const { forecast, truth, climatology } = fieldsOf(4 * 360);
    const latitudes = [60, 20, -20, -60];
    const copy = scoreField({ forecast, truth, reference: forecast, climatology, latitudes });
    expect(copy.cloneDistance).toBe(0);
    expect(copy.patternCorrelation).toBeCloseTo(1, 12);
    const perfect = scoreField({ forecast: truth, truth, reference: forecast, climatology, latitudes });
    expect(perfect).toMatchObject({ mse: 0, mae: 0, bias: 0, skillScoreReference: 1 });
    expect(perfect.acc).toBeCloseTo(1, 12);
  });

  it('the correlation of a forecast equal to climatology, or of a constant one, is null', () => {
    const { truth, reference, climatology } = fieldsOf(2 * 360);
    const latitudes = [40, -40];
    expect(scoreField({ forecast: climatology, truth, climatology, latitudes }).acc).toBeNull();
    const constant = new Float32Array(720).fill(281.3);
    expect(scoreField({ forecast: constant, truth, reference, latitudes }).patternCorrelation).toBeNull();
  });

  it('a forecast close to climatology is correlated with full precision', () => {
    const fields = fieldsOf(2 * 360);
    const forecast = fields.climatology.map((value, point) => value + (point % 7 === 0 ? 1 / 1024 : 0));
    const input = { ...fields, forecast, latitudes: [40, -40] };
    const acc = scoreField(input).acc ?? NaN;
    expect(acc).toBeCloseTo(naiveFieldScores(input).acc ?? NaN, 9);
  });
});
