import { describe, expect, it } from 'vitest';
import { createUnpacker, isUnpacked, type Packing } from '#grids/field-reader';

const plain: Packing = {
  dataType: 'float32',
  scaleFactor: 1,
  addOffset: 0,
  isOtherSign: false,
  missingValues: [],
};

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

  it('the sign is changed before marks are compared and values are scaled', () => {
    const signed = { ...plain, dataType: 'int16', isOtherSign: true, missingValues: [-1] } as const;
    const unpack = createUnpacker({ ...signed, scaleFactor: 0.01, addOffset: 100 });
    expect([unpack(-1), unpack(-2), unpack(1)]).toEqual([NaN, 655.34 + 100, 100.01]);
    const unsigned = createUnpacker({ ...plain, dataType: 'uint8', isOtherSign: true, missingValues: [200] });
    expect([unsigned(200), unsigned(255), unsigned(127)]).toEqual([NaN, -1, 127]);
  });

  it('half floats are decoded from their bits, and their marks compared in their precision', () => {
    const unpack = createUnpacker({ ...plain, dataType: 'float16', missingValues: [-9999] });
    expect([0x3c00, 0xc000, 0x7c00, 0x0001, 0xf0e2].map(unpack)).toEqual([1, -2, Infinity, 2 ** -24, NaN]);
  });

  it('values that need no unpacking are recognised, so that they are not copied', () => {
    expect(isUnpacked(plain)).toBe(true);
    expect(isUnpacked({ ...plain, scaleFactor: 2 })).toBe(false);
    expect(isUnpacked({ ...plain, addOffset: 1 })).toBe(false);
    expect(isUnpacked({ ...plain, missingValues: [0] })).toBe(false);
  });
});
