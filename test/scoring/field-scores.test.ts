import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreField, type FieldScoreInput, type FieldScores } from '#scoring/field-scores';
import { naiveFieldScores } from './support/naive-field-scores.ts';
import { fieldsWithGaps, fieldsWithoutGaps } from './support/random-fields.ts';
import { field } from './support/field.ts';

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

describe('scoreField, closed forms', () => {
  it('the skill after removal of the unweighted mean error is .75 with latitude weights (test vector 7)', () => {
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

  it('a perfect forecast has mse 0, acc 1 and skill 1', () => {
    const truth = field(1, 2, 4, 8);
    const climatology = field(2, 2, 3, 3);
    const reference = field(1, 3, 4, 9);
    const scores = scoreField({ forecast: truth, truth, reference, climatology, latitudes: [45, -45] });
    expect(scores).toMatchObject({ mse: 0, rmse: 0, mae: 0, bias: 0, finiteCoverage: 1 });
    expect(scores).toMatchObject({ skillScoreReference: 1, skillScoreClimatology: 1 });
    expect(scores.acc).toBeCloseTo(1, 12);
  });

  it('a forecast with mirrored anomalies has acc -1', () => {
    const scores = scoreField({
      forecast: field(9, 12),
      truth: field(11, 8),
      climatology: field(10, 10),
      latitudes: [30],
    });
    expect(scores.acc).toBeCloseTo(-1, 12);
  });

  it('a copy of the reference has a clone distance of exactly 0', () => {
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

  it('a constant error costs the plain skill, and leaves the skill of the network as it is', () => {
    const [truth, reference, latitudes] = [field(280, 282, 284, 286), field(281, 281, 285, 285), [10, 50]];
    const forecast = field(280.5, 281.5, 284.5, 285.5);
    const before = scoreField({ forecast, truth, reference, latitudes });
    const after = scoreField({ forecast: forecast.map((value) => value + 5), truth, reference, latitudes });
    expect(before.plainSkillReference).toBeCloseTo(0.75, 12);
    expect(after.skillScoreReference).toBeCloseTo(before.skillScoreReference ?? NaN, 12);
    expect(after.plainSkillReference).toBeLessThan(-20);
  });

  it('the skill against a perfect reference is 1 for a constant error and null for any other', () => {
    const truth = field(3, 5, 7, 11);
    const latitudes = [20, 70];
    const shifted = scoreField({ forecast: field(4, 6, 8, 12), truth, reference: truth, latitudes });
    expect(shifted).toMatchObject({ skillScoreReference: 1, referenceMse: 0, bias: 1 });
    const wrong = scoreField({ forecast: field(4, 6, 8, 13), truth, reference: truth, latitudes });
    expect(wrong.skillScoreReference).toBeNull();
  });

  it('the acc of a constant anomaly is null, neither NaN nor 0', () => {
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
  it('scores against an absent reference or climatology are null, and all others are known', () => {
    const scores = scoreField({ forecast: field(1, 2), truth: field(2, 4), latitudes: [0] });
    expect(scores).toEqual({
      mse: 2.5,
      rmse: Math.sqrt(2.5),
      mae: 1.5,
      bias: -1.5,
      acc: null,
      skillScoreReference: null,
      skillScoreClimatology: null,
      plainSkillReference: null,
      plainSkillClimatology: null,
      referenceMse: null,
      climatologyMse: null,
      cloneDistance: null,
      patternCorrelation: null,
      forecastMin: 1,
      forecastMax: 2,
      finiteCoverage: 1,
    });
  });

  it('both errors of a skill are taken over the points that forecast, truth and baseline share', () => {
    const [truth, latitudes] = [field(0, 0, 0, 0), [0]];
    const reference = field(2, NaN, 2, 8);
    const scores = scoreField({
      forecast: field(1, 9, -1, NaN),
      truth,
      reference,
      climatology: reference,
      latitudes,
    });
    expect(scores).toMatchObject({ mse: 83 / 3, plainSkillReference: 0.75, plainSkillClimatology: 0.75 });
    expect(scores).toMatchObject({ skillScoreReference: 0.75, skillScoreClimatology: 0.75 });
  });

  it('leaving out a point cannot raise the skill by an error that the reference alone is charged with', () => {
    const [truth, reference, latitudes] = [field(0, 0, 0, 0), field(1, 1, 1, 20), [0]];
    const whole = scoreField({ forecast: field(1, -1, 1, 20), truth, reference, latitudes });
    const gappy = scoreField({ forecast: field(1, -1, 1, NaN), truth, reference, latitudes });
    expect(whole.plainSkillReference).toBe(0);
    expect(gappy.plainSkillReference).toBe(0);
  });

  it('a missing point is masked in numerator and denominator of the bias', () => {
    const scores = scoreField({
      forecast: field(12, NaN, 12, 12),
      truth: field(10, 10, NaN, 10),
      latitudes: [0, 0],
    });
    expect(scores).toMatchObject({ bias: 2, mse: 4, mae: 2 });
    expect(scores.finiteCoverage).toBeCloseTo(2 / 3, 12);
  });

  it('every score of a forecast without values is null', () => {
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

  it('a truth without values gives a coverage of 1 and null scores', () => {
    const scores = scoreField({ forecast: field(1, 2), truth: field(NaN, NaN), latitudes: [0] });
    expect(scores).toMatchObject({ finiteCoverage: 1, mse: null, forecastMin: 1, forecastMax: 2 });
  });

  it('an infinite forecast value is a missing point, never an infinite score', () => {
    const scores = scoreField({ forecast: field(Infinity, 3), truth: field(1, 1), latitudes: [0] });
    expect(scores).toMatchObject({ mse: 4, forecastMax: 3, finiteCoverage: 0.5 });
  });

  it('squares beyond the range of a double give null, not Infinity', () => {
    const scores = scoreField({
      forecast: field(1e200, 1e200),
      truth: field(1, 2),
      reference: field(0, 0),
      latitudes: [0],
    });
    expect(scores).toMatchObject({ mse: null, rmse: null, cloneDistance: null, skillScoreReference: null });
    expect(scores.mae).toBeCloseTo(1e200, -190);
  });

  it('a row without a latitude counts in extremes and coverage, but not in weighted scores', () => {
    const scores = scoreField({
      forecast: field(5, 5, 100, 100),
      truth: field(4, 4, 0, 0),
      latitudes: [0, NaN],
    });
    expect(scores).toMatchObject({ mse: 1, bias: 1, forecastMax: 100, finiteCoverage: 1 });
  });
});

describe('scoreField, against the definitions', () => {
  it('scoreField equals a naive implementation on any grid with any gaps', () => {
    fc.assert(
      fc.property(fieldsWithGaps, (input) => expectSameScores(scoreField(input), naiveFieldScores(input))),
      { seed: 20250810, numRuns: 400 },
    );
  });

  it('scoreField equals a naive implementation with any subset of the optional fields', () => {
    const given = fieldsWithGaps.chain(({ reference, climatology, ...rest }) =>
      fc.constantFrom<FieldScoreInput>(rest, { ...rest, reference }, { ...rest, climatology }),
    );
    fc.assert(
      fc.property(given, (input) => expectSameScores(scoreField(input), naiveFieldScores(input))),
      { seed: 7, numRuns: 100 },
    );
  });

  it('a large offset that all fields share does not cost precision', () => {
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

  it('a constant added to the forecast changes the bias, but not skill and correlation', () => {
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

  it('a change of unit scales errors and leaves skill and correlations unchanged', () => {
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

  it('the scores do not depend on the order of the rows', () => {
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
  it('fields of different lengths are a RangeError that names them', () => {
    expect(() => scoreField({ forecast: field(1, 2), truth: field(1, 2, 3), latitudes: [0] })).toThrow(
      new RangeError(
        'Fields that are compared need the same number of values, got forecast 2, truth 3; put them on one grid first.',
      ),
    );
  });

  it('a field that does not divide into latitude rows is a RangeError', () => {
    const three = field(1, 2, 3);
    expect(() => scoreField({ forecast: three, truth: three, latitudes: [0, 1] })).toThrow(RangeError);
    expect(() => scoreField({ forecast: three, truth: three, latitudes: [] })).toThrow(/0 latitude rows/);
    expect(() => scoreField({ forecast: field(), truth: field(), latitudes: [0] })).toThrow(RangeError);
  });

  it('scoreField modifies none of its inputs', () => {
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
