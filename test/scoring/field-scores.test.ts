import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreField, type FieldScoreInput, type FieldScores } from '#scoring/field-scores';
import { naiveFieldScores } from './naive-field-scores.ts';
import { fieldsWithGaps, fieldsWithoutGaps } from './random-fields.ts';

const names = [
  'mse',
  'rmse',
  'mae',
  'bias',
  'acc',
  'skillScoreReference',
  'skillScoreClimatology',
  'referenceMse',
  'climatologyMse',
  'cloneDistance',
  'patternCorrelation',
  'forecastMin',
  'forecastMax',
  'finiteCoverage',
] as const satisfies readonly (keyof FieldScores)[];

function expectSameScores(actual: FieldScores, expected: FieldScores, tolerance = 1e-9): void {
  for (const name of names) {
    const [got, wanted] = [actual[name], expected[name]];
    if (got === null || wanted === null) expect(got, name).toBe(wanted);
    else expect(Math.abs(got - wanted), name).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));
  }
}

const field = (...values: number[]) => Float64Array.from(values);

describe('scoreField, closed forms', () => {
  it('scoreField, closed forms, test vector 7: latitude weights, with a skill of .75 after the removal of the unweighted mean error', () => {
    const scores = scoreField({
      forecast: field(12, 21),
      truth: field(10, 20),
      reference: field(11, 19),
      latitudes: [60, 0],
    });
    expect(scores.rmse).toBeCloseTo(1.4142135624, 10);
    expect(scores.mae).toBeCloseTo(1.3333333333, 10);
    expect(scores.bias).toBeCloseTo(4 / 3, 12);
    expect(scores.skillScoreReference).toBeCloseTo(0.75, 12);
    expect(scores.referenceMse).toBeCloseTo(1, 12);
  });

  it('scoreField, closed forms gives a perfect forecast no error, a correlation of 1 and a skill of 1', () => {
    const truth = field(1, 2, 4, 8);
    const climatology = field(2, 2, 3, 3);
    const reference = field(1, 3, 4, 9);
    const scores = scoreField({ forecast: truth, truth, reference, climatology, latitudes: [45, -45] });
    expect(scores).toMatchObject({ mse: 0, rmse: 0, mae: 0, bias: 0, finiteCoverage: 1 });
    expect(scores).toMatchObject({ skillScoreReference: 1, skillScoreClimatology: 1 });
    expect(scores.acc).toBeCloseTo(1, 12);
  });

  it('scoreField, closed forms gives the mirror image of the anomalies a correlation of -1', () => {
    const scores = scoreField({
      forecast: field(9, 12),
      truth: field(11, 8),
      climatology: field(10, 10),
      latitudes: [30],
    });
    expect(scores.acc).toBeCloseTo(-1, 12);
  });

  it('scoreField, closed forms recognises a copy of the reference by a clone distance of exactly 0', () => {
    const copy = field(280.1, 281.7, 279.3, 290.9);
    const scores = scoreField({
      forecast: copy,
      truth: field(280, 281, 280, 291),
      reference: copy,
      latitudes: [10, 50],
    });
    expect(scores.cloneDistance).toBe(0);
    expect(scores.patternCorrelation).toBeCloseTo(1, 12);
  });

  it('scoreField, closed forms gives a constant error a skill of 1 against a perfect reference, and any other error none at all', () => {
    const truth = field(3, 5, 7, 11);
    const latitudes = [20, 70];
    const shifted = scoreField({ forecast: field(4, 6, 8, 12), truth, reference: truth, latitudes });
    expect(shifted).toMatchObject({ skillScoreReference: 1, referenceMse: 0, bias: 1 });
    const wrong = scoreField({ forecast: field(4, 6, 8, 13), truth, reference: truth, latitudes });
    expect(wrong.skillScoreReference).toBeNull();
  });

  it('scoreField, closed forms has no correlation for a constant anomaly, rather than a NaN or a 0', () => {
    const climatology = field(280.1, 281.3, 282.7);
    const constant = scoreField({
      forecast: climatology.map((value) => value + 3),
      truth: field(281, 280, 285),
      climatology,
      latitudes: [15],
    });
    expect(constant.acc).toBeNull();
  });
});

describe('scoreField, missing values', () => {
  it('scoreField, missing values leaves what was not given unknown, and only that', () => {
    const scores = scoreField({ forecast: field(1, 2), truth: field(2, 4), latitudes: [0] });
    expect(scores).toEqual({
      mse: 2.5,
      rmse: Math.sqrt(2.5),
      mae: 1.5,
      bias: -1.5,
      acc: null,
      skillScoreReference: null,
      skillScoreClimatology: null,
      referenceMse: null,
      climatologyMse: null,
      cloneDistance: null,
      patternCorrelation: null,
      forecastMin: 1,
      forecastMax: 2,
      finiteCoverage: 1,
    });
  });

  it('scoreField, missing values masks a missing point in numerator and denominator, so that it does not shrink the bias', () => {
    const scores = scoreField({
      forecast: field(12, NaN, 12, 12),
      truth: field(10, 10, NaN, 10),
      latitudes: [0, 0],
    });
    expect(scores).toMatchObject({ bias: 2, mse: 4, mae: 2 });
    expect(scores.finiteCoverage).toBeCloseTo(2 / 3, 12);
  });

  it('scoreField, missing values knows nothing about a forecast without values, and says so with null', () => {
    const gone = field(NaN, NaN);
    const other = field(1, 2);
    const scores = scoreField({
      forecast: gone,
      truth: other,
      reference: other,
      climatology: field(0, 3),
      latitudes: [0],
    });
    expect(scores).toMatchObject({ mse: null, bias: null, acc: null, skillScoreReference: null });
    expect(scores).toMatchObject({
      cloneDistance: null,
      forecastMin: null,
      forecastMax: null,
      finiteCoverage: 0,
    });
    expect(scores).toMatchObject({ referenceMse: 0, climatologyMse: 1 });
  });

  it('scoreField, missing values does not blame the forecast when the truth has no value: coverage 1, scores unknown', () => {
    const scores = scoreField({ forecast: field(1, 2), truth: field(NaN, NaN), latitudes: [0] });
    expect(scores).toMatchObject({ finiteCoverage: 1, mse: null, forecastMin: 1, forecastMax: 2 });
  });

  it('scoreField, missing values takes an infinite forecast value for a missing point, never for an infinite score', () => {
    const scores = scoreField({ forecast: field(Infinity, 3), truth: field(1, 1), latitudes: [0] });
    expect(scores).toMatchObject({ mse: 4, forecastMax: 3, finiteCoverage: 0.5 });
  });

  it('scoreField, missing values gives null, not Infinity, when squares leave the range of a double', () => {
    const scores = scoreField({
      forecast: field(1e200, 1e200),
      truth: field(1, 2),
      reference: field(0, 0),
      latitudes: [0],
    });
    expect(scores).toMatchObject({ mse: null, rmse: null, cloneDistance: null, skillScoreReference: null });
    expect(scores.mae).toBeCloseTo(1e200, -190);
  });

  it('scoreField, missing values counts a row without a latitude for nothing in weighted scores but reads its values', () => {
    const scores = scoreField({
      forecast: field(5, 5, 100, 100),
      truth: field(4, 4, 0, 0),
      latitudes: [0, NaN],
    });
    expect(scores).toMatchObject({ mse: 1, bias: 1, forecastMax: 100, finiteCoverage: 1 });
  });
});

describe('scoreField, against the definitions', () => {
  it('scoreField, against the definitions agrees with a naive implementation on any grid with any gaps', () => {
    fc.assert(
      fc.property(fieldsWithGaps, (input) => expectSameScores(scoreField(input), naiveFieldScores(input))),
      { seed: 20250810, numRuns: 400 },
    );
  });

  it('scoreField, against the definitions agrees with a naive implementation where only some fields are given', () => {
    const given = fieldsWithGaps.chain(({ reference, climatology, ...rest }) =>
      fc.constantFrom<FieldScoreInput>(rest, { ...rest, reference }, { ...rest, climatology }),
    );
    fc.assert(
      fc.property(given, (input) => expectSameScores(scoreField(input), naiveFieldScores(input))),
      { seed: 7, numRuns: 100 },
    );
  });

  it('scoreField, against the definitions does not lose digits to a large offset that all fields share', () => {
    fc.assert(
      fc.property(fieldsWithoutGaps, (input) => {
        const lifted = mapFields(input, (value) => Float64Array.from(value, (x) => x + 2 ** 30));
        const { forecastMin, forecastMax, ...expected } = scoreField(input);
        const scores = scoreField(lifted);
        expect(scores.forecastMin).toBe((forecastMin ?? NaN) + 2 ** 30);
        expect(scores.forecastMax).toBe((forecastMax ?? NaN) + 2 ** 30);
        const { forecastMin: min, forecastMax: max } = scores;
        expectSameScores(scores, { ...expected, forecastMin: min, forecastMax: max }, 1e-6);
      }),
      { seed: 11, numRuns: 100 },
    );
  });

  it('scoreField, against the definitions moves the bias but not the skill or the correlation when a constant is added to the forecast', () => {
    fc.assert(
      fc.property(fieldsWithoutGaps, fc.integer({ min: -40, max: 40 }), (input, shift) => {
        const before = scoreField(input);
        const after = scoreField({ ...input, forecast: Float64Array.from(input.forecast, (f) => f + shift) });
        expect(after.bias).toBeCloseTo((before.bias ?? NaN) + shift, 9);
        for (const name of [
          'skillScoreReference',
          'skillScoreClimatology',
          'acc',
          'patternCorrelation',
        ] as const) {
          const wanted = before[name];
          if (wanted === null) expect(after[name], name).toBeNull();
          else expect((after[name] ?? NaN) / wanted - 1 || 0, name).toBeCloseTo(0, 6);
        }
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it('scoreField, against the definitions scales errors with the unit and leaves ratios as they are', () => {
    fc.assert(
      fc.property(fieldsWithoutGaps, (input) => {
        const before = scoreField(input);
        const after = scoreField(mapFields(input, (value) => Float64Array.from(value, (x) => x * 4)));
        const scaled = (score: number | null, factor: number) => (score === null ? null : score * factor);
        expectSameScores(after, {
          ...before,
          mse: scaled(before.mse, 16),
          referenceMse: scaled(before.referenceMse, 16),
          climatologyMse: scaled(before.climatologyMse, 16),
          cloneDistance: scaled(before.cloneDistance, 16),
          rmse: scaled(before.rmse, 4),
          mae: scaled(before.mae, 4),
          bias: scaled(before.bias, 4),
          forecastMin: scaled(before.forecastMin, 4),
          forecastMax: scaled(before.forecastMax, 4),
        });
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it('scoreField, against the definitions does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(fieldsWithGaps, (input) => {
        const columns = input.forecast.length / input.latitudes.length;
        const flip = (values: ArrayLike<number>) =>
          Float64Array.from(values, (_, index) => {
            const row = input.latitudes.length - 1 - Math.floor(index / columns);
            return values[row * columns + (index % columns)] ?? NaN;
          });
        const latitudes = Array.from(input.latitudes).reverse();
        expectSameScores(scoreField({ ...mapFields(input, flip), latitudes }), scoreField(input));
      }),
      { seed: 13, numRuns: 100 },
    );
  });
});

describe('scoreField, shapes', () => {
  it('scoreField, shapes refuses fields of different lengths and names them, rather than scoring half of one', () => {
    expect(() => scoreField({ forecast: field(1, 2), truth: field(1, 2, 3), latitudes: [0] })).toThrow(
      new RangeError(
        'Fields that are compared need the same number of values, got forecast 2, truth 3; put them on one grid first.',
      ),
    );
  });

  it('scoreField, shapes refuses a field that does not divide into rows', () => {
    const three = field(1, 2, 3);
    expect(() => scoreField({ forecast: three, truth: three, latitudes: [0, 1] })).toThrow(RangeError);
    expect(() => scoreField({ forecast: three, truth: three, latitudes: [] })).toThrow(/0 latitude rows/);
    expect(() => scoreField({ forecast: field(), truth: field(), latitudes: [0] })).toThrow(RangeError);
  });

  it('scoreField, shapes changes none of its inputs', () => {
    const input = { forecast: field(1, NaN), truth: field(2, 3), reference: field(1, 1), latitudes: [10] };
    const before = structuredClone(input);
    scoreField(input);
    expect(input).toEqual(before);
  });
});

function mapFields(
  input: Required<FieldScoreInput>,
  convert: (values: ArrayLike<number>) => Float64Array,
): Required<FieldScoreInput> {
  return {
    forecast: convert(input.forecast),
    truth: convert(input.truth),
    reference: convert(input.reference),
    climatology: convert(input.climatology),
    latitudes: input.latitudes,
  };
}
