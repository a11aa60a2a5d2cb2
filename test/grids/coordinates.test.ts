import { beforeEach, describe, expect, it } from 'vitest';
import { openGridStore } from '#grids';
import { plainFiles, rejectionOf, setJson, setRawArray, smallField, VALID_TIMES } from './small-store.ts';

const DIMENSIONS = ['time', 'lat', 'lon'];
const SINCE = 'hours since 2026-01-01';
let files: Map<string, Uint8Array>;

/** Attributes of an array of the small store, changed. */
function setAttributes(name: string, changes: object): void {
  const attributes = JSON.parse(new TextDecoder().decode(files.get(`${name}/.zattrs`))) as object;
  setJson(files, `${name}/.zattrs`, { ...attributes, ...changes });
}

/** A store of `2t` alone at its first valid time, with a lead of 12 h beside it. */
function setOneTime(attributes: object): void {
  for (const path of files.keys()) if (path.startsWith('t/')) files.delete(path);
  const values = smallField(VALID_TIMES[0], 0);
  setRawArray(files, '2t', {
    dtype: '<f4',
    shape: [1, 3, 4],
    values,
    attributes: { _ARRAY_DIMENSIONS: DIMENSIONS, units: 'K' },
  });
  setRawArray(files, 'time', {
    dtype: '<f8',
    shape: [1],
    values: Float64Array.of(12),
    attributes: { _ARRAY_DIMENSIONS: ['time'], units: SINCE, ...attributes },
  });
  setScalar('forecast_period', 12, 'hours');
}

function setScalar(name: string, value: number, units: string): void {
  const attributes = { _ARRAY_DIMENSIONS: [], units };
  setRawArray(files, name, { dtype: '<f8', shape: [], values: Float64Array.of(value), attributes });
  files.set(`${name}/0`, new Uint8Array(Float64Array.of(value).buffer));
}

const validTimes = async (): Promise<readonly Date[]> => (await openGridStore(files)).validTimes;

beforeEach(async () => {
  files = await plainFiles();
});

describe('one lead beside time', () => {
  it('leaves time the valid time where its standard name says so, so that no score is one lead late', async () => {
    setOneTime({ standard_name: 'time' });
    expect(await validTimes()).toEqual([VALID_TIMES[0]]);
  });

  it('leaves time the valid time where T0 has a coordinate of its own', async () => {
    setOneTime({});
    setScalar('forecast_reference_time', 0, SINCE);
    expect(await validTimes()).toEqual([VALID_TIMES[0]]);
  });

  it('makes time T0 where nothing says otherwise, as in stores of cfgrib', async () => {
    setOneTime({ standard_name: 'forecast_reference_time' });
    expect(await validTimes()).toEqual([VALID_TIMES[1]]);
  });

  it('makes time T0 where valid_time stands beside it', async () => {
    setOneTime({ standard_name: 'time' });
    setScalar('valid_time', 24, SINCE);
    expect(await validTimes()).toEqual([VALID_TIMES[1]]);
  });
});

describe('valid times', () => {
  it('of a lead without end are refused, and are no invalid date in rows', async () => {
    setOneTime({});
    setScalar('forecast_period', Infinity, 'hours');
    expect(await rejectionOf(openGridStore(files))).toMatchObject({
      message:
        'Coordinate time and its lead give a valid time that is no instant; T0 and finite leads are allowed.',
    });
  });

  it('that stand twice in a store are named, with what to do', async () => {
    setRawArray(files, 'time', {
      dtype: '<f8',
      shape: [2],
      values: Float64Array.of(12, 12),
      attributes: { _ARRAY_DIMENSIONS: ['time'], units: SINCE },
    });
    expect(await rejectionOf(openGridStore(files))).toMatchObject({
      message:
        'Coordinate time gives the valid time 2026-01-01T12:00:00.000Z twice, and which field counts is unknown; keep one, as by drop_duplicates("time").',
    });
  });
});

describe('coordinates that mean something else', () => {
  it.each([
    ['lat', { units: 'radians' }, 'Coordinate lat has units "radians"; degrees are allowed'],
    ['lat', { standard_name: 'grid_latitude' }, 'an angle of a rotated pole'],
    [
      'pressure_level',
      { units: undefined, standard_name: 'model_level_number' },
      'Coordinate pressure_level is "model_level_number" and has no units',
    ],
  ])(
    '%s with %j is refused, because its scores would be of another place',
    async (name, changes, message) => {
      setAttributes(name, changes);
      expect(await rejectionOf(openGridStore(files))).toMatchObject({
        message: expect.stringContaining(message) as string,
      });
    },
  );

  it.each(['hectopascals', 'hPa ', 'mbar'])('levels in "%s" are levels in hPa', async (units) => {
    setAttributes('pressure_level', { units });
    const { variables } = await openGridStore(files);
    expect(variables.find(({ name }) => name === 't')?.pressureLevelsHpa).toEqual([850, 500]);
  });
});
