import { describe, expect, it } from 'vitest';
import { fixUnits } from '#scoring/unit-fixes';

const field = (...values: number[]) => Float32Array.from(values);

describe('fixUnits', () => {
  it.each([
    ['z', [5500, 5600], [54_000, 55_000], 'height_metres_to_geopotential', 5500 * 9.80665],
    ['2t', [10, 20], [283, 293], 'temperature_celsius_to_kelvin', 283.15],
    ['t', [-40, -10], [233, 263], 'temperature_celsius_to_kelvin', 233.15],
    ['msl', [1013, 990], [101_300, 99_000], 'pressure_hectopascal_to_pascal', 101_300],
  ])(
    '%s in the wrong unit is converted, and the result names the conversion',
    (variable, forecast, truth, fix, first) => {
      const result = fixUnits(variable, field(...forecast), field(...truth));
      expect(result.fix).toBe(fix);
      expect((result.values[0] ?? NaN) / first).toBeCloseTo(1, 6);
    },
  );

  it.each([
    ['z', [54_000], [54_000]],
    ['z', [1400], [14_000]],
    ['2t', [283], [283]],
    ['2t', [10], [150]],
    ['msl', [101_300], [101_300]],
    ['10u', [5], [500_000]],
    ['q', [0.01], [500_000]],
  ])('%s %j against a truth of %j is returned unchanged', (variable, forecast, truth) => {
    const values = field(...forecast);
    expect(fixUnits(variable, values, field(...truth))).toEqual({ values, fix: null });
    expect(fixUnits(variable, values, field(...truth)).values).toBe(values);
  });

  it('the decision uses the finite values only, and gaps remain', () => {
    const result = fixUnits('2t', field(NaN, 10, Infinity), field(280, NaN, 290));
    expect(Array.from(result.values)).toEqual([NaN, Math.fround(283.15), Infinity]);
  });

  it('a field without any value is returned unchanged', () => {
    expect(fixUnits('2t', field(NaN), field(280)).fix).toBeNull();
    expect(fixUnits('2t', field(10), field(NaN)).fix).toBeNull();
  });

  it('the input is never modified, and the result is the same kind of array', () => {
    const celsius = Float64Array.of(10);
    const { values } = fixUnits('2t', celsius, field(280));
    expect(celsius[0]).toBe(10);
    expect(values).toBeInstanceOf(Float64Array);
  });
});
