import { describe, expect, it } from 'vitest';
import { hasTime, openGridStore } from '#grids';
import { openNamedStore } from '#commands/run/stores';
import { rejectionOf, setJson, setRawArray } from './small-store.ts';

/** A climatology of `2t` on one row of two points: each value is `1000 * day + hour`. */
function climatologyFiles({ days = 366, hours = [0, 6, 12, 18] as readonly number[] | null } = {}) {
  const files = new Map<string, Uint8Array>();
  setJson(files, '.zgroup', { zarr_format: 2 });
  const coordinate = (name: string, values: readonly number[]): void => {
    setRawArray(files, name, {
      dtype: '<f8',
      shape: [values.length],
      values: Float64Array.from(values),
      attributes: { _ARRAY_DIMENSIONS: [name] },
    });
  };
  const dayOfYear = Array.from({ length: days }, (_, index) => index + 1);
  coordinate('dayofyear', dayOfYear);
  coordinate('latitude', [0]);
  coordinate('longitude', [0, 180]);
  if (hours !== null) coordinate('hour', hours);
  const byHour = hours ?? [0];
  setRawArray(files, '2m_temperature', {
    dtype: '<f4',
    shape: [...(hours === null ? [] : [hours.length]), days, 2, 1],
    values: Float32Array.from(
      byHour.flatMap((hour) => dayOfYear.flatMap((day) => [1000 * day + hour, 1000 * day + hour])),
    ),
    attributes: {
      _ARRAY_DIMENSIONS: [...(hours === null ? [] : ['hour']), 'dayofyear', 'longitude', 'latitude'],
    },
  });
  return files;
}

/** The day and hour of the field that a climatology has for each time. */
async function fieldsAt(files: Map<string, Uint8Array>, times: readonly string[]): Promise<number[]> {
  const store = await openGridStore(files, { allowsDayOfYear: true });
  const fields = times.map(async (time) => {
    const [value = NaN] = await store.readField({
      variable: '2t',
      pressureHpa: null,
      validTime: new Date(time),
    });
    return value;
  });
  return Promise.all(fields);
}

describe('a climatology by hour and day of year', () => {
  it('a time has the field of its day of the year and of the last six-hourly hour, in any year', async () => {
    const times = ['2019-03-06T00:00Z', '2019-03-06T05:59Z', '2019-03-06T06:00Z', '1850-03-06T23:00Z'];
    expect(await fieldsAt(climatologyFiles(), times)).toEqual([65_000, 65_000, 65_006, 65_018]);
  });

  it('the leap day is day 60, so that 1 March is day 61 after it, and else day 60', async () => {
    const times = ['2020-02-29T00:00Z', '2020-03-01T00:00Z', '2019-03-01T00:00Z', '2020-12-31T18:00Z'];
    expect(await fieldsAt(climatologyFiles(), times)).toEqual([60_000, 61_000, 60_000, 366_018]);
  });

  it('the last day of a leap year has the field of day 365 where there is no other', async () => {
    expect(await fieldsAt(climatologyFiles({ days: 365 }), ['2020-12-31T06:00Z'])).toEqual([365_006]);
  });

  it('of hours that are not there the nearest counts, and of two the later', async () => {
    const files = climatologyFiles({ hours: [12, 0] });
    const times = ['2019-01-01T03:00Z', '2019-01-01T06:00Z', '2019-01-01T23:00Z'];
    expect(await fieldsAt(files, times)).toEqual([1000, 1012, 1012]);
  });

  it('a climatology of days alone has one field for all hours', async () => {
    expect(await fieldsAt(climatologyFiles({ hours: null }), ['2019-01-02T18:00Z'])).toEqual([2000]);
  });

  it('it has a field for every time, and no valid times of its own', async () => {
    const store = await openGridStore(climatologyFiles(), { allowsDayOfYear: true });
    expect(store.validTimes).toEqual([]);
    expect(hasTime(store, new Date('2031-07-01T12:00Z'))).toBe(true);
  });

  it.each(['--truth', '--forecast', '--reference', '--analysis'])(
    'as %s it is refused, because it would have a field of every time',
    async (option) => {
      expect(await rejectionOf(openNamedStore(option, climatologyFiles()))).toMatchObject({
        category: 'invalid_response',
        message:
          `${option} cannot be read as a Zarr store: The store is a climatology: its fields are by day of the year ` +
          '(dayofyear), not by valid time. Only --climatology may be one.',
      });
    },
  );

  it('hours and days that are none are refused', async () => {
    const files = climatologyFiles({ hours: [0, 24] });
    expect(await rejectionOf(openGridStore(files, { allowsDayOfYear: true }))).toMatchObject({
      message: 'Coordinate hour of a climatology must hold whole numbers from 0 to 23, each once.',
    });
  });
});
