import { describe, expect, it } from 'vitest';
import { VARIABLES } from '#semconv';
import { conversionOf, VARIABLE_NAMES } from '#semconv/variable-names';

describe('VARIABLE_NAMES', () => {
  it('no name is that of two variables, and each short name is a name', () => {
    const names = VARIABLES.flatMap((variable) => VARIABLE_NAMES[variable].aliases);
    expect(new Set(names).size).toBe(names.length);
    expect(VARIABLES.every((variable) => VARIABLE_NAMES[variable].aliases.includes(variable))).toBe(true);
  });
});

describe('conversionOf', () => {
  it.each([
    ['10u', 'm s**-1', 1],
    ['10u', 'm/s', 1],
    ['u', 'm·s⁻¹', 1],
    ['v', 'km/h', 1 / 3.6],
    ['10v', 'knots', 1852 / 3600],
    ['msl', 'mbar', 100],
    ['msl', 'HPA', 100],
    ['q', 'kg kg**-1', 1],
    ['q', 'g/kg', 1e-3],
    ['q', '', 1],
    ['z', 'm**2 s**-2', 1],
    ['z', 'm^2 s^-2', 1],
    ['z', 'gpm', 9.80665],
    ['z', null, 1],
  ] as const)('%s in "%s" is multiplied by %d', (variable, unit, factor) => {
    expect(conversionOf(variable, unit)).toEqual({ factor, offset: 0 });
  });

  it('0 degrees Celsius are 273.15 K, and 32 degrees Fahrenheit too', () => {
    const kelvin = (value: number, unit: string): number => {
      const { factor = NaN, offset = NaN } = conversionOf('2t', unit) ?? {};
      return value * factor + offset;
    };
    expect([kelvin(0, '°C'), kelvin(0, 'celsius')]).toEqual([273.15, 273.15]);
    expect(kelvin(32, 'degF')).toBeCloseTo(273.15, 10);
  });

  it.each([
    ['2t', 'm s-1'],
    ['u', 'Pa'],
    ['q', '%'],
    ['msl', 'constructor'],
  ] as const)('%s has no unit "%s"', (variable, unit) => {
    expect(conversionOf(variable, unit)).toBeNull();
  });
});
