import { describe, expect, it } from 'vitest';
import { createUnpacker, isUnpacked, type Packing } from '#grids/field-reader';

const plain: Packing = { dataType: 'float32', scaleFactor: 1, addOffset: 0, missingValues: [] };

describe('createUnpacker', () => {
  it('stored values are scaled, then offset, as in the CF conventions', () => {
    const unpack = createUnpacker({ ...plain, dataType: 'int16', scaleFactor: 0.01, addOffset: 273.15 });
    expect(unpack(1000)).toBeCloseTo(283.15, 10);
    expect(unpack(-1000)).toBeCloseTo(263.15, 10);
  });

  it('a missing-value marker becomes NaN before scaling, so that it cannot be read as a value', () => {
    const unpack = createUnpacker({
      ...plain,
      dataType: 'int16',
      scaleFactor: 0.01,
      missingValues: [-32767],
    });
    expect(unpack(-32767)).toBeNaN();
    expect(unpack(-32766)).toBeCloseTo(-327.66, 10);
  });

  it('missing-value markers are compared in the precision of the stored values', () => {
    const mark = 9.96921e36;
    expect(createUnpacker({ ...plain, missingValues: [mark] })(Math.fround(mark))).toBeNaN();
    expect(
      createUnpacker({ ...plain, dataType: 'float64', missingValues: [mark] })(Math.fround(mark)),
    ).not.toBeNaN();
  });

  it('values that need no unpacking are recognised, so that they are not copied', () => {
    expect(isUnpacked(plain)).toBe(true);
    expect(isUnpacked({ ...plain, scaleFactor: 2 })).toBe(false);
    expect(isUnpacked({ ...plain, addOffset: 1 })).toBe(false);
    expect(isUnpacked({ ...plain, missingValues: [0] })).toBe(false);
  });
});
