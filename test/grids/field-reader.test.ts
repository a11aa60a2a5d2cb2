import { describe, expect, it } from 'vitest';
import { createUnpacker, isUnpacked, type Packing } from '#grids/field-reader';

const plain: Packing = { dataType: 'float32', scaleFactor: 1, addOffset: 0, missingValues: [] };

describe('unpacking of stored values', () => {
  it('unpacking of stored values scales first and shifts then, as the CF conventions say', () => {
    const unpack = createUnpacker({ ...plain, dataType: 'int16', scaleFactor: 0.01, addOffset: 273.15 });
    expect(unpack(1000)).toBeCloseTo(283.15, 10);
    expect(unpack(-1000)).toBeCloseTo(263.15, 10);
  });

  it('unpacking of stored values makes NaN of a mark of absence before it is scaled, so that it cannot pass for a value', () => {
    const unpack = createUnpacker({
      ...plain,
      dataType: 'int16',
      scaleFactor: 0.01,
      missingValues: [-32767],
    });
    expect(unpack(-32767)).toBeNaN();
    expect(unpack(-32766)).toBeCloseTo(-327.66, 10);
  });

  it('unpacking of stored values compares marks in the precision in which values are stored', () => {
    const mark = 9.96921e36;
    expect(createUnpacker({ ...plain, missingValues: [mark] })(Math.fround(mark))).toBeNaN();
    expect(
      createUnpacker({ ...plain, dataType: 'float64', missingValues: [mark] })(Math.fround(mark)),
    ).not.toBeNaN();
  });

  it('unpacking of stored values knows values that need no unpacking, so that they are not copied', () => {
    expect(isUnpacked(plain)).toBe(true);
    expect(isUnpacked({ ...plain, scaleFactor: 2 })).toBe(false);
    expect(isUnpacked({ ...plain, addOffset: 1 })).toBe(false);
    expect(isUnpacked({ ...plain, missingValues: [0] })).toBe(false);
  });
});
