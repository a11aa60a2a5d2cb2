import { describe, expect, it } from 'vitest';
import { checkEra5Gates, measureForGates } from '#scoring/era5-gates';
import { scoreField } from '#scoring/field-scores';

const sound = { finiteCoverage: 1, forecastMin: -50, forecastMax: 50 };

describe('checkEra5Gates', () => {
  it('sound data passes the gates, and so does data at exactly either limit', () => {
    expect(checkEra5Gates(sound)).toEqual({ kind: 'passed' });
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.9985 })).toEqual({ kind: 'passed' });
    expect(checkEra5Gates({ ...sound, forecastMax: 1e12 })).toEqual({ kind: 'passed' });
  });

  it('a field below the coverage limit is rejected without failing verification of its store', () => {
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.998 })).toEqual({
      kind: 'rejected',
      category: 'data_coverage',
      verificationFailed: false,
      measured: 0.998,
      limit: 0.9985,
    });
  });

  it('a finite coverage below .1 is rejected and fails verification of the store', () => {
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.0999 })).toMatchObject({
      category: 'data_coverage',
      verificationFailed: true,
      limit: 0.1,
    });
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.1 })).toMatchObject({ verificationFailed: false });
    expect(checkEra5Gates({ ...sound, finiteCoverage: NaN })).toMatchObject({ category: 'data_coverage' });
  });

  it('an absolute value above 1e12 of either sign is rejected before coverage is checked', () => {
    const low = checkEra5Gates({ ...sound, forecastMin: -2e12, finiteCoverage: 0 });
    expect(low).toMatchObject({
      category: 'data_extreme',
      verificationFailed: true,
      measured: 2e12,
      limit: 1e12,
    });
    expect(checkEra5Gates({ ...sound, forecastMax: Infinity })).toMatchObject({ category: 'data_extreme' });
  });

  it('the coverage limit can be configured', () => {
    const gaps = { ...sound, finiteCoverage: 0.95 };
    expect(checkEra5Gates(gaps, { minFiniteCoverage: 0.9 })).toEqual({ kind: 'passed' });
  });

  it('the scores of a field are a valid input of the gates', () => {
    const forecast = Float32Array.of(1, NaN, 3, 4);
    const scores = scoreField({ forecast, truth: Float32Array.of(1, 2, 3, 4), latitudes: [0] });
    expect(checkEra5Gates(scores)).toMatchObject({ category: 'data_coverage', measured: 0.75 });
  });
});

describe('measureForGates', () => {
  it('finite coverage is the share of truth-finite points with a finite forecast', () => {
    const forecast = Float32Array.of(1, NaN, 5, 7);
    const truth = Float32Array.of(1, 1, NaN, 1);
    expect(measureForGates(forecast, truth)).toEqual({
      finiteCoverage: 2 / 3,
      forecastMin: 1,
      forecastMax: 7,
    });
  });

  it('an infinity counts as an extreme, so that one bad value in a million is rejected', () => {
    const measured = measureForGates(Float32Array.of(1, -Infinity), Float32Array.of(1, 1));
    expect(measured.forecastMin).toBe(-Infinity);
    expect(checkEra5Gates(measured)).toMatchObject({ category: 'data_extreme' });
  });

  it('an empty forecast has no extremes, and a forecast without truth has a coverage of 1', () => {
    const empty = measureForGates(Float32Array.of(NaN), Float32Array.of(1));
    expect(empty).toEqual({ finiteCoverage: 0, forecastMin: null, forecastMax: null });
    expect(measureForGates(Float32Array.of(1), Float32Array.of(NaN)).finiteCoverage).toBe(1);
  });

  it('fields of different lengths are a RangeError', () => {
    expect(() => measureForGates(Float32Array.of(1), Float32Array.of(1, 2))).toThrow(
      /1 forecast and 2 truth/,
    );
  });
});
