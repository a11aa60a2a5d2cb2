import { describe, expect, it } from 'vitest';
import { CONVENTIONS, scoreByConvention } from '#scoring/conventions';
import { cellWeights } from '#scoring/latitude-weights';
import { CONVENTION_CASES, differingScores, scoresOf } from './support/convention-cases.ts';

describe('scoreByConvention', () => {
  it.each(CONVENTION_CASES.flatMap((one) => CONVENTIONS.map((convention) => ({ one, convention }))))(
    'scores of $one.name as $convention are those that numpy computed from the definitions',
    ({ one, convention }) => {
      expect(differingScores(one, convention, one.expected[convention])).toEqual([]);
    },
  );

  it('single precision costs no digit, because every value is cast to double before it is subtracted', () => {
    const [truth, reference] = [Float32Array.of(287.3, 281.1), Float32Array.of(288.9, 280.2)];
    const given = { forecast: Float32Array.of(287.9, 281.7), truth, reference, latitudes: [50, 60] };
    const doubled = {
      ...{ forecast: Float64Array.from(given.forecast), truth: Float64Array.from(truth) },
      ...{ reference: Float64Array.from(reference), latitudes: given.latitudes },
    };
    for (const convention of CONVENTIONS) {
      const single = scoreByConvention(convention, { ...given, isOnLevels: true });
      const double = scoreByConvention(convention, { ...doubled, isOnLevels: true });
      expect(single.mse, convention).toBeCloseTo(double.mse ?? Number.NaN, 14);
    }
  });

  it('what a convention itself leaves out has a reason, and nothing else has one', () => {
    const reasons = CONVENTION_CASES.flatMap((one) =>
      CONVENTIONS.map((convention) => scoresOf(one, convention).reason),
    );
    expect(reasons.filter((reason) => reason !== null)).toEqual([
      'WeatherBench 2 gives no score with absent values: 5 values of the forecast',
      'WeatherBench 2 gives no score with absent values: 4 values of the reference',
      'the skill against a baseline without error is -Infinity in Gaia',
    ]);
  });
});

describe('cellWeights', () => {
  it('on a globe with rows at the poles, the cells of the poles are half as high, and all of them make the sphere', () => {
    const weights = cellWeights([90, 45, 0, -45, -90]);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(2, 14);
    expect(weights[0]).toBeCloseTo(1 - Math.sin((67.5 * Math.PI) / 180), 14);
  });

  it('at the edges of a region cells end half a step beyond, so that no edge stands for the rest of the globe', () => {
    const weights = cellWeights([50, 52, 54, 56, 58, 60]);
    const share = (weights[0] ?? 0) / weights.reduce((sum, weight) => sum + weight, 0);
    expect(share).toBeLessThan(0.2);
    for (const [row, latitude] of [50, 52, 54, 56, 58, 60].entries())
      expect((weights[row] ?? 0) / (weights[0] ?? 1)).toBeCloseTo(
        Math.cos((latitude * Math.PI) / 180) / Math.cos((50 * Math.PI) / 180),
        12,
      );
  });

  it('rows that fall have the weights of rows that rise, and a single row has a weight', () => {
    expect([...cellWeights([60, 30, 10])]).toEqual([...cellWeights([10, 30, 60])].reverse());
    expect([...cellWeights([45])]).toEqual([1]);
  });
});
