import { describe, expect, it } from 'vitest';
import type { ArrayDescription } from '#grids/array-description';
import { coordinateNames, fieldAxes } from '#grids/axes';

function field(name: string, ...dimensionNames: string[]): ArrayDescription {
  const lengths = dimensionNames.map(() => 1);
  return {
    name,
    shape: lengths,
    chunkShape: lengths,
    dimensionNames,
    dataType: 'float32',
    units: null,
    calendar: null,
    scaleFactor: 1,
    addOffset: 0,
    missingValues: [],
    hasFillValue: true,
    codecs: [],
  };
}

describe('roles of dimensions', () => {
  it.each([
    [['time', 'lat', 'lon']],
    [['valid_time', 'latitude', 'longitude']],
    [['time', 'longitude', 'latitude']],
  ])(
    'roles of dimensions knows the surface dimensions %j in any order and under common names',
    (dimensions) => {
      expect(new Set(fieldAxes(field('2t', ...dimensions)))).toEqual(
        new Set(['time', 'latitude', 'longitude']),
      );
    },
  );

  it.each(['pressure_level', 'level', 'isobaricInhPa', 'plev', 'pressure'])(
    'roles of dimensions knows %s as the level',
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
    [['lat', 'lon']],
    [['time', 'x', 'y']],
    [['time', 'lat', 'latitude', 'lon']],
    [['time', 'number', 'pressure_level', 'lat', 'lon']],
    [[]],
  ])('roles of dimensions refuses %j and says which dimensions are allowed', (dimensions) => {
    expect(() => fieldAxes(field('t', ...dimensions))).toThrow(
      expect.objectContaining({
        category: 'invalid_response',
        message: expect.stringContaining('allowed: (time, lat, lon)') as string,
      }),
    );
  });

  it('roles of dimensions finds the one coordinate of each role that all fields share', () => {
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

  it('roles of dimensions refuses fields on two different latitude axes, because a store has one grid', () => {
    const fields = [field('2t', 'time', 'lat', 'lon'), field('msl', 'time', 'latitude', 'lon')];
    expect(() => coordinateNames(fields)).toThrow('both "lat" and "latitude"');
  });
});
