import { describe, expect, it } from 'vitest';
import { checkEra5Gates, measureForGates } from '#scoring/era5-gates';
import { scoreField } from '#scoring/field-scores';

const sound = { finiteCoverage: 1, forecastMin: -50, forecastMax: 50 };

describe('checkEra5Gates', () => {
  it('checkEra5Gates passes sound data, and both limits themselves', () => {
    expect(checkEra5Gates(sound)).toEqual({ kind: 'passed' });
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.9985 })).toEqual({ kind: 'passed' });
    expect(checkEra5Gates({ ...sound, forecastMax: 1e12 })).toEqual({ kind: 'passed' });
  });

  it('checkEra5Gates rejects a field with gaps without distrusting its store', () => {
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.998 })).toEqual({
      kind: 'rejected',
      category: 'data_coverage',
      verificationFailed: false,
      measured: 0.998,
      limit: 0.9985,
    });
  });

  it('checkEra5Gates distrusts a store that holds less than a tenth of its data', () => {
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.0999 })).toMatchObject({
      category: 'data_coverage',
      verificationFailed: true,
      limit: 0.1,
    });
    expect(checkEra5Gates({ ...sound, finiteCoverage: 0.1 })).toMatchObject({ verificationFailed: false });
    expect(checkEra5Gates({ ...sound, finiteCoverage: NaN })).toMatchObject({ category: 'data_coverage' });
  });

  it('checkEra5Gates rejects extreme values of either sign, before it looks at gaps', () => {
    const low = checkEra5Gates({ ...sound, forecastMin: -2e12, finiteCoverage: 0 });
    expect(low).toMatchObject({
      category: 'data_extreme',
      verificationFailed: true,
      measured: 2e12,
      limit: 1e12,
    });
    expect(checkEra5Gates({ ...sound, forecastMax: Infinity })).toMatchObject({ category: 'data_extreme' });
  });

  it('checkEra5Gates takes another coverage from the configuration', () => {
    const gaps = { ...sound, finiteCoverage: 0.95 };
    expect(checkEra5Gates(gaps, { minFiniteCoverage: 0.9 })).toEqual({ kind: 'passed' });
  });

  it('checkEra5Gates reads the scores of a field directly', () => {
    const forecast = Float32Array.of(1, NaN, 3, 4);
    const scores = scoreField({ forecast, truth: Float32Array.of(1, 2, 3, 4), latitudes: [0] });
    expect(checkEra5Gates(scores)).toMatchObject({ category: 'data_coverage', measured: 0.75 });
  });
});

describe('measureForGates', () => {
  it('measureForGates counts coverage over the points where the truth is finite', () => {
    const forecast = Float32Array.of(1, NaN, 5, 7);
    const truth = Float32Array.of(1, 1, NaN, 1);
    expect(measureForGates(forecast, truth)).toEqual({
      finiteCoverage: 2 / 3,
      forecastMin: 1,
      forecastMax: 7,
    });
  });

  it('measureForGates keeps an infinity as an extreme, so that one bad value in a million is not overlooked', () => {
    const measured = measureForGates(Float32Array.of(1, -Infinity), Float32Array.of(1, 1));
    expect(measured.forecastMin).toBe(-Infinity);
    expect(checkEra5Gates(measured)).toMatchObject({ category: 'data_extreme' });
  });

  it('measureForGates finds no extremes in an empty forecast and no fault in a forecast without truth', () => {
    const empty = measureForGates(Float32Array.of(NaN), Float32Array.of(1));
    expect(empty).toEqual({ finiteCoverage: 0, forecastMin: null, forecastMax: null });
    expect(measureForGates(Float32Array.of(1), Float32Array.of(NaN)).finiteCoverage).toBe(1);
  });

  it('measureForGates refuses fields of different grids', () => {
    expect(() => measureForGates(Float32Array.of(1), Float32Array.of(1, 2))).toThrow(
      /1 forecast and 2 truth/,
    );
  });
});
