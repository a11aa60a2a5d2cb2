import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureAnomalies } from '../../src/scoring/field-anomalies.ts';
import { measureErrors } from '../../src/scoring/field-errors.ts';
import { gridRows } from '../../src/scoring/field-grid.ts';
import { measureReference } from '../../src/scoring/field-reference.ts';
import { scoreField } from '../../src/scoring/field-scores.ts';
import { KERNEL_POINTS } from '../../src/scoring/row-kernel.ts';
import { sumWholeRows } from '../../src/scoring/whole-rows.ts';
import { naiveFieldScores } from './naive-field-scores.ts';

const names = ['forecast', 'truth', 'reference', 'climatology'] as const;

/** Four fields in single precision, around 280 and different at every point. */
function fieldsOf(points: number, value = (point: number, seed: number) => 280 + 9 * Math.sin(point * seed)) {
  const field = (seed: number) => Float32Array.from({ length: points }, (_, point) => value(point, seed));
  return { forecast: field(1.3), truth: field(1.7), reference: field(2.9), climatology: field(0.01) };
}
const summed = (fields: ReturnType<typeof fieldsOf>, latitudes: readonly number[]) =>
  sumWholeRows(fields, gridRows(fields, latitudes));

/** As close as the order of the summands allows. */
function expectClose(actual: object, expected: object): void {
  for (const [name, wanted] of Object.entries(expected) as [string, number | object][]) {
    const got = actual[name as keyof typeof actual] as number | object;
    if (typeof wanted === 'object') expectClose(got as object, wanted);
    else
      expect(Math.abs((got as number) - wanted), name).toBeLessThanOrEqual(
        1e-11 * Math.max(1, Math.abs(wanted)),
      );
  }
}

describe('sumWholeRows', () => {
  it('tells of each row what summing it point by point tells', () => {
    const fields = fieldsOf(6 * 8);
    const latitudes = [75, 45, 15, -15, -45, -75];
    const rows = gridRows(fields, latitudes);
    const whole = summed(fields, latitudes);
    expect(whole).toHaveLength(6);
    const known = {
      errors: measureErrors(
        fields,
        rows,
        whole.map((row) => row?.errors),
      ),
      anomalies: measureAnomalies(
        fields,
        rows,
        whole.map((row) => row?.anomalies),
      ),
      reference: measureReference(
        fields,
        rows,
        whole.map((row) => row?.reference),
      ),
    };
    expectClose(known, {
      errors: measureErrors(fields, rows),
      anomalies: measureAnomalies(fields, rows),
      reference: measureReference(fields, rows),
    });
  });

  it.each(names)(
    'leaves a row with a gap of the %s to be summed point by point, and only that row',
    (name) => {
      for (const gap of [NaN, Infinity, -Infinity]) {
        for (const column of [0, 1, 7]) {
          const fields = fieldsOf(3 * 8);
          fields[name][8 + column] = gap;
          const whole = summed(fields, [30, 0, -30]);
          expect(whole.map((row) => row === null)).toEqual([false, true, false]);
        }
      }
    },
  );

  it('sums fields larger than its memory block by block', () => {
    const points = 4096;
    const rows = (3 * KERNEL_POINTS) / points + 1;
    const fields = fieldsOf(rows * points);
    const latitudes = Array.from({ length: rows }, (_, row) => 80 - 6 * row);
    const whole = summed(fields, latitudes);
    expect(whole).toHaveLength(rows);
    const single = gridRows(fields, latitudes);
    expectClose(
      measureErrors(
        fields,
        single,
        whole.map((row) => row?.errors),
      ),
      measureErrors(fields, single),
    );
  });

  it('leaves to others what it cannot sum: double precision, odd rows, rows beyond its memory', () => {
    const fields = fieldsOf(8);
    const double = { ...fields, truth: Float64Array.from(fields.truth) };
    expect(sumWholeRows(double, gridRows(double, [0]))).toEqual([]);
    expect(summed(fieldsOf(6), [10, -10])).toEqual([]);
    expect(summed(fieldsOf(KERNEL_POINTS + 2), [0])).toEqual([]);
  });

  it('leaves a row along which a difference hardly changes to be summed about that difference', () => {
    const fields = fieldsOf(2 * 8);
    for (let point = 0; point < 8; point++) fields.forecast[point] = (fields.truth[point] ?? 0) + 4;
    expect(summed(fields, [10, -10]).map((row) => row === null)).toEqual([true, false]);
    const { skillScoreReference, bias } = scoreField({
      ...{ forecast: fields.forecast.slice(0, 8), truth: fields.truth.slice(0, 8) },
      ...{ reference: fields.truth.slice(0, 8), latitudes: [10] },
    });
    expect([skillScoreReference, bias]).toEqual([1, 4]);
  });

  it('needs neither reference nor climatology', () => {
    const { forecast, truth } = fieldsOf(8);
    const [row] = sumWholeRows({ forecast, truth }, gridRows({ forecast, truth }, [0]));
    expect(row?.errors.count).toBe(8);
  });
});

describe('scoreField in single precision', () => {
  it('agrees with the definitions on any grid, with any gaps', () => {
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

  it('finds a copy by a distance of exactly 0 and a perfect forecast by an error of exactly 0', () => {
    const { forecast, truth, climatology } = fieldsOf(4 * 360);
    const latitudes = [60, 20, -20, -60];
    const copy = scoreField({ forecast, truth, reference: forecast, climatology, latitudes });
    expect(copy.cloneDistance).toBe(0);
    expect(copy.patternCorrelation).toBeCloseTo(1, 12);
    const perfect = scoreField({ forecast: truth, truth, reference: forecast, climatology, latitudes });
    expect(perfect).toMatchObject({ mse: 0, mae: 0, bias: 0, skillScoreReference: 1 });
    expect(perfect.acc).toBeCloseTo(1, 12);
  });

  it('has no correlation for a forecast that is the climatology, nor for a constant one', () => {
    const { truth, reference, climatology } = fieldsOf(2 * 360);
    const latitudes = [40, -40];
    expect(scoreField({ forecast: climatology, truth, climatology, latitudes }).acc).toBeNull();
    const constant = new Float32Array(720).fill(281.3);
    expect(scoreField({ forecast: constant, truth, reference, latitudes }).patternCorrelation).toBeNull();
  });

  it('correlates a forecast that hardly leaves the climatology as well as any other', () => {
    const fields = fieldsOf(2 * 360);
    const forecast = fields.climatology.map((value, point) => value + (point % 7 === 0 ? 1 / 1024 : 0));
    const input = { ...fields, forecast, latitudes: [40, -40] };
    const acc = scoreField(input).acc ?? NaN;
    expect(acc).toBeCloseTo(naiveFieldScores(input).acc ?? NaN, 9);
  });
});
