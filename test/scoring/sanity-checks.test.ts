import { describe, expect, it } from 'vitest';
import { checkSanity, climatologyBoundsOf } from '#scoring/sanity-checks';

const plausible = { forecastMin: 210, forecastMax: 320, patternCorrelation: 0.9 };

describe('checkSanity', () => {
  it('a plausible field passes, and the result has the measured values', () => {
    expect(checkSanity(plausible, climatologyBoundsOf('2t'))).toEqual({
      climatologyCheckPassed: true,
      climatologyMin: 210,
      climatologyMax: 320,
      patternCorrelation: 0.9,
      patternCorrelationPassed: true,
      sane: true,
    });
  });

  it.each([
    ['2t', 179.9, 300, false],
    ['2t', 180, 340, true],
    ['2t', 200, 340.1, false],
    ['msl', 89_999, 101_000, false],
    ['t850', 220, 320, true],
    ['z500', 45_000, 60_001, false],
    ['q700', -1e-9, 0.02, false],
    ['q', 0, 0.02, true],
  ])('checkSanity: %s from %d to %d passes its bounds: %s', (variable, forecastMin, forecastMax, passed) => {
    const result = checkSanity({ forecastMin, forecastMax }, climatologyBoundsOf(variable));
    expect(result).toMatchObject({ climatologyCheckPassed: passed, sane: passed });
  });

  it('the pattern correlation must be at least .3, or the configured limit', () => {
    const check = (patternCorrelation: number, options?: { minPatternCorrelation: number }) =>
      checkSanity({ ...plausible, patternCorrelation }, null, options).patternCorrelationPassed;
    expect(check(0.3)).toBe(true);
    expect(check(0.29)).toBe(false);
    expect(check(-0.9)).toBe(false);
    expect(check(0.4, { minPatternCorrelation: 0.5 })).toBe(false);
  });

  it('a constant field fails: its correlation is undefined, which is not unmeasured', () => {
    const result = checkSanity({ ...plausible, patternCorrelation: null }, null);
    expect(result).toMatchObject({ patternCorrelation: null, patternCorrelationPassed: false, sane: false });
  });

  it('a check that was not made is null, neither passed nor failed', () => {
    const result = checkSanity({ forecastMin: 1, forecastMax: 2 }, climatologyBoundsOf('10u'));
    expect(result).toMatchObject({
      climatologyCheckPassed: null,
      patternCorrelationPassed: null,
      sane: true,
    });
  });

  it('a field without any value fails its bounds', () => {
    const empty = { forecastMin: null, forecastMax: null };
    expect(checkSanity(empty, { min: 0 }).climatologyCheckPassed).toBe(false);
  });
});

describe('climatologyBoundsOf', () => {
  it('the humidity bounds apply to every level, other bounds to their own level only', () => {
    expect(climatologyBoundsOf('q')).not.toBeNull();
    expect(climatologyBoundsOf('q1000')).toBe(climatologyBoundsOf('q'));
    expect(climatologyBoundsOf('z850')).toBeNull();
    expect(climatologyBoundsOf('constructor')).toBeNull();
  });

  it('a custom table can have humidity bounds for a single level', () => {
    const table = { q500: { max: 0.01 }, q: { min: 0 } };
    expect(climatologyBoundsOf('q500', table)).toEqual({ max: 0.01 });
    expect(climatologyBoundsOf('q850', table)).toEqual({ min: 0 });
    expect(climatologyBoundsOf('2t', table)).toBeNull();
  });
});
