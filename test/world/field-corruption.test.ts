import { describe, expect, it } from 'vitest';
import { createFieldCorruption } from '#world/field-corruption';

function corruptMany(seed: number): number[] {
  const corrupt = createFieldCorruption('nan', seed);
  return Array.from({ length: 40 }, () => corrupt(new Float32Array(1000)).filter(Number.isNaN).length);
}

describe('corruption of fields', () => {
  it('corruption of fields leaves honest fields alone', () => {
    const field = Float32Array.of(1, 2, 3);
    expect(createFieldCorruption('none', 1)(field)).toBe(field);
    expect(field).toEqual(Float32Array.of(1, 2, 3));
  });

  it('corruption of fields spoils the first field and some others, a tenth of the values in each, so that coverage rules must notice', () => {
    const spoilt = corruptMany(1);
    expect(spoilt[0]).toBe(100);
    expect(new Set(spoilt)).toEqual(new Set([0, 100]));
  });

  it('corruption of fields spoils the same fields for the same seed', () => {
    expect(corruptMany(2)).toEqual(corruptMany(2));
    expect(corruptMany(2)).not.toEqual(corruptMany(3));
  });
});
