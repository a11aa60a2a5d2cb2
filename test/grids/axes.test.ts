import { describe, expect, it } from 'vitest';
import type { ArrayDescription } from '#grids/array-description';
import { coordinateNames, fieldAxes } from '#grids/axes';

function field(name: string, ...dimensionNames: string[]): ArrayDescription {
  const lengths = dimensionNames.map((_, axis) => 2 + axis);
  return {
    name,
    shape: lengths,
    chunkShape: lengths,
    shard: null,
    dimensionNames,
    dataType: 'float32',
    units: null,
    standardName: null,
    calendar: null,
    scaleFactor: 1,
    addOffset: 0,
    isOtherSign: false,
    missingValues: [],
    hasFillValue: true,
    codecs: [],
  };
}

describe('dimension roles', () => {
  it.each([
    [['time', 'lat', 'lon']],
    [['valid_time', 'latitude', 'longitude']],
    [['time', 'longitude', 'latitude']],
  ])('the surface dimensions %j are recognised in any order and under common names', (dimensions) => {
    expect(new Set(fieldAxes(field('2t', ...dimensions)))).toEqual(
      new Set(['time', 'latitude', 'longitude']),
    );
  });

  it.each(['pressure_level', 'level', 'isobaricInhPa', 'plev', 'pressure'])(
    'a dimension named %s is the level axis',
    (level) => {
      expect(fieldAxes(field('t', 'time', level, 'lat', 'lon'))).toEqual([
        'time',
        'level',
        'latitude',
        'longitude',
      ]);
    },
  );

  it.each([
    [['time', 'lat']],
    [['time', 'x', 'y']],
    [['time', 'lat', 'latitude', 'lon']],
    [['time', 'number', 'pressure_level', 'lat', 'lon']],
    [[]],
  ])('the dimensions %j are rejected with the allowed ones', (dimensions) => {
    expect(() => fieldAxes(field('t', ...dimensions))).toThrow(
      expect.objectContaining({
        category: 'invalid_response',
        message: expect.stringContaining('allowed: (time, lat, lon)') as string,
      }),
    );
  });

  it('dimensions of length 1 that say nothing are left out, and beside a lead time is T0', () => {
    const shape = [1, 4, 10, 3, 5];
    const described = { ...field('2t', 'number', 'time', 'step', 'lat', 'lon'), shape };
    expect(fieldAxes(described)).toEqual(['single', 'init', 'lead', 'latitude', 'longitude']);
  });

  it('all fields share one coordinate array for each role', () => {
    const names = coordinateNames([
      field('2t', 'time', 'lat', 'lon'),
      field('t', 'time', 'level', 'lat', 'lon'),
    ]);
    expect([...names]).toEqual([
      ['time', 'time'],
      ['latitude', 'lat'],
      ['longitude', 'lon'],
      ['level', 'level'],
    ]);
  });

  it('fields on two different latitude axes are rejected, because a store has one grid', () => {
    const fields = [field('2t', 'time', 'lat', 'lon'), field('msl', 'time', 'latitude', 'lon')];
    expect(() => coordinateNames(fields)).toThrow('both "lat" and "latitude"');
  });
});
