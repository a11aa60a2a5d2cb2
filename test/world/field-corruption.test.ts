import { describe, expect, it } from 'vitest';
import { createFieldCorruption } from '#world/field-corruption';

function corruptMany(seed: number): number[] {
  const corrupt = createFieldCorruption('nan', seed);
  return Array.from({ length: 40 }, () => corrupt(new Float32Array(1000)).filter(Number.isNaN).length);
}

describe('createFieldCorruption', () => {
  it('corruption of kind none returns every field unchanged', () => {
    const field = Float32Array.of(1, 2, 3);
    expect(createFieldCorruption('none', 1)(field)).toBe(field);
    expect(field).toEqual(Float32Array.of(1, 2, 3));
  });

  it('the first and some other fields get a tenth of NaN, which coverage rules must detect', () => {
    const spoilt = corruptMany(1);
    expect(spoilt[0]).toBe(100);
    expect(new Set(spoilt)).toEqual(new Set([0, 100]));
  });

  it('the same seed corrupts the same fields', () => {
    expect(corruptMany(2)).toEqual(corruptMany(2));
    expect(corruptMany(2)).not.toEqual(corruptMany(3));
  });
});
